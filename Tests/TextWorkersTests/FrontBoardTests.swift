import ChildRuntime
import Messages
import Testing

/// What the processes behind the fronts know of them.
@Suite struct FrontBoardTests {
    private static func table(_ generation: UInt64, pid: Int32, _ state: ProcessState, leaving: [UInt64] = [])
        -> Topology
    {
        .make {
            $0.processes = [
                .make {
                    $0.role = .http
                    $0.generation = generation
                    $0.pid = pid
                    $0.state = state
                }
            ]
            $0.leaving = leaving.map { generation in .make { $0.generation = generation } }
        }
    }

    @Test func whoIsInTheTableOrNewerLives() {
        let board = FrontBoard()
        #expect(board.holds(1) && board.holds(7), "before the first table everybody may live")
        board.update(Self.table(3, pid: 9, .ready, leaving: [1]))
        #expect(board.holds(3) && board.holds(1) && !board.holds(2))
        #expect(board.holds(4), "its table is still on the way")
        board.update(Self.table(4, pid: 0, .spawned, leaving: []))
        #expect(board.holds(4) && !board.holds(3) && !board.holds(1))
        board.update(Self.table(4, pid: 0, .backoff))
        #expect(!board.holds(4) && board.holds(5))
    }
}
