package import Messages
internal import Synchronization
package import Transport

/// Which fronts live: the one that accepts clients, and those before it that still have answers to finish.
///
/// The supervision thread hears of them, the thread that sends asks.
package final class FrontBoard: Sendable {
    private let state = Mutex<(living: Set<UInt64>, newest: UInt64)>(([], 0))

    package init() {}

    /// The launcher's table changed.
    package func update(_ topology: Topology) {
        let places = topology.processes.filter { $0.role == .http }
        let occupied = places.filter { $0.pid != 0 || $0.state == .spawned }
        let living = Set((occupied + topology.leaving).map(\.generation))
        state.withLock { $0 = (living, places.map(\.generation).max() ?? 0) }
    }

    /// All fronts that the table has.
    package var living: Set<UInt64> { state.withLock { $0.living } }

    /// Whether the front lives. One that is newer than the table does: its first request may be faster than the table.
    package func holds(_ generation: UInt64) -> Bool {
        state.withLock { $0.living.contains(generation) || generation > $0.newest }
    }
}

/// The ways to all fronts that live. One thread uses it.
package final class FrontPipes {
    private final class Pipe {
        let socket: PushSocket<FrontReply>

        init(_ endpoint: Endpoint, _ context: Context) throws(TransportError) {
            socket = try PushSocket(connecting: endpoint, in: context)
        }
    }

    private let runDirectory: String
    private let context: Context
    private let board: FrontBoard
    private var pipes: [UInt64: Pipe] = [:]
    /// Between two looks whether a front that does not take anything is still there.
    private static let look = Duration.milliseconds(20)

    package init(in runDirectory: String, _ context: Context, _ board: FrontBoard) {
        self.runDirectory = runDirectory
        self.context = context
        self.board = board
    }

    /// Hands a reply to the fronts it is for. What belongs to a front that is gone is dropped: its clients are gone with it.
    ///
    /// - Throws: `.timedOut` when a front that lives takes nothing for so long; the others have got their parts then.
    package func send(_ reply: FrontReply, within patience: Duration) throws(TransportError) {
        var failure: TransportError?
        for (generation, part) in reply.parts() where board.holds(generation) {
            do throws(TransportError) {
                try send(part, through: pipe(to: generation), to: generation, until: .now + patience)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Hands a reply to all fronts that live but one.
    package func tell(_ reply: FrontReply, allBut one: UInt64, within patience: Duration) throws(TransportError) {
        for generation in board.living.sorted() where generation != one {
            try send(reply, through: pipe(to: generation), to: generation, until: .now + patience)
        }
    }

    private func send(
        _ reply: FrontReply, through pipe: Pipe, to generation: UInt64, until deadline: ContinuousClock.Instant
    ) throws(TransportError) {
        while board.holds(generation) {
            do {
                return try pipe.socket.send(reply, within: Self.look)
            } catch {
                guard case .timedOut = error, .now < deadline else { throw error }
            }
        }
    }

    private func pipe(to generation: UInt64) throws(TransportError) -> Pipe {
        if let pipe = pipes[generation] { return pipe }
        for old in pipes.keys where !board.holds(old) { pipes[old] = nil }
        let pipe = try Pipe(Endpoint(front: generation, in: runDirectory), context)
        pipes[generation] = pipe
        return pipe
    }
}
