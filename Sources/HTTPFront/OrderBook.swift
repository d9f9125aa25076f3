internal import Messages
internal import Synchronization

/// Obeys the launcher's orders: new tables of processes, and the order to drain.
final class OrderBook: Sendable {
    private let front: Front
    private let pipe: CommandPipe
    /// Seconds since 1970 by which a drain has to be over; nil: none was ordered.
    private let deadline = Mutex<Double?>(nil)
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
            front.board.drain()
            deadline.withLock { $0 = front.clock() + drain.seconds }
        case .stop?, .operatorAnswer?, nil: break
        }
    }

    /// A drain was ordered, and the last request is answered or the time is over.
    var isDrained: Bool {
        guard let deadline = deadline.withLock({ $0 }) else { return false }
        return front.requestsInFlight == 0 || front.clock() > deadline
    }
}
