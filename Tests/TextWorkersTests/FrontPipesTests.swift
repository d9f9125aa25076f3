import ChildRuntime
import Glibc
import Messages
import Testing
import Transport

/// Replies on their way to several fronts.
@Suite struct FrontPipesTests {
    @Test func aFrontThatTakesNothingKeepsNothingFromTheOthers() throws {
        var template = Array("/tmp/srtpipes.XXXXXX".utf8CString)
        let folder = String(cString: mkdtemp(&template))
        defer {
            unlink(folder + "/front-2.ipc")
            rmdir(folder)
        }
        let context = Context()
        let taking = try PullSocket<FrontReply>(binding: Endpoint(front: 2, in: folder), in: context)
        // Nobody is at the other end of front 1, which counts as living all the same.
        let pipes = FrontPipes(in: folder, context, FrontBoard())
        let ids = [FrontGeneration.base(1) + 1, FrontGeneration.base(2) + 1]
        let reply = FrontReply.make { reply in
            reply.resubmit = .make { $0.keys = ids.map { id in .make { $0.id = id } } }
        }
        #expect(throws: TransportError.timedOut(endpoint: folder + "/front-1.ipc")) {
            try pipes.send(reply, within: .milliseconds(50))
        }
        let received = try taking.receive(within: .seconds(20))
        #expect(received?.resubmit.keys.map(\.id) == [ids[1]])
    }

    @Test func whatIsForAFrontThatIsGoneIsDroppedAtOnce() throws {
        let board = FrontBoard()
        board.update(
            .make {
                $0.processes = [
                    .make {
                        $0.role = .http
                        $0.generation = 2
                        $0.pid = 7
                        $0.state = .ready
                    }
                ]
            })
        // There is no such folder: a pipe to it could not even be made.
        let pipes = FrontPipes(in: String(repeating: "/nowhere", count: 20), Context(), board)
        let late = FrontReply.make { $0.control = .make { $0.call = FrontGeneration.base(1) + 1 } }
        try pipes.send(late, within: .seconds(20))
    }
}
