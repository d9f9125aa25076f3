internal import APICore
internal import Ledger
internal import Messages
internal import Synchronization

/// Obeys the launcher's orders: new tables of processes, and the order to drain.
final class OrderBook: Sendable {
    private let front: Front
    private let pipe: CommandPipe
    /// A drain under way.
    private struct Leaving {
        /// Seconds since 1970 at which it began, and by which it has to be over.
        let since: Double
        let deadline: Double
        /// Clients whose connections are idle may still ask something: the answer tells them to come anew.
        let waitsForClients: Bool
        /// Streams that outlast the deadline were told so.
        var isCut = false
    }

    private let leaving = Mutex<Leaving?>(nil)
    private let lastStatus = Mutex(PipeStatus())

    init(front: Front, pipe: CommandPipe) {
        self.front = front
        self.pipe = pipe
    }

    /// Takes one order, on the supervision thread.
    func obey(_ order: LauncherOrder) {
        switch order.order {
        case .topology(let topology)?:
            let status = PipeStatus(topology)
            let isNewPipe = lastStatus.withLock { last in
                defer { if status.isReady { last = status } }
                return status.isReady && last.incarnations != status.incarnations
            }
            // What was never taken would only be overtaken by the next attempts.
            if isNewPipe { pipe.forgetRequests() }
            front.handle(topology)
        case .drain(let drain)?:
            if drain.replaced { front.handOver() } else { front.services.board.drain() }
            let now = front.services.clock()
            leaving.withLock {
                $0 = Leaving(since: now, deadline: now + drain.seconds, waitsForClients: drain.replaced)
            }
        case .stop?, .operatorAnswer?, nil: break
        }
    }

    /// Seconds that streams which outlast the drain get for their last frame.
    private static let lastWords = 1.5
    /// Seconds in which a client that has just connected sends its request.
    private static let firstWords = 0.15

    /// A drain was ordered and there is nothing left to do: the last request is answered, or the time is over and those
    /// that remained were told so.
    func isDrained() -> Bool {
        let now = front.services.clock()
        guard let drain = leaving.withLock({ $0 }) else { return false }
        if now > drain.deadline, !drain.isCut {
            front.services.requests.handle { $0.endAll(.draining, now: $1) }
            leaving.withLock { $0?.isCut = true }
        }
        if now > drain.deadline + Self.lastWords { return true }
        let isDone = drain.waitsForClients ? front.isDeserted : front.requestsInFlight == 0
        return isDone && now > max(drain.since, front.lastActivity) + Self.firstWords
    }
}
