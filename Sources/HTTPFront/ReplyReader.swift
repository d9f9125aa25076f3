package import ChildRuntime
internal import Glibc
package import Logging
package import Messages
package import Transport

/// The thread that receives everything the other processes tell the front.
package final class ReplyReader: Sendable {
    private let endpoint: Endpoint
    private let context: Context
    private let handle: @Sendable (FrontReply) -> Void
    private let tick: @Sendable () -> Void
    private let stamp: ProgressStamp
    private let log: Logger

    /// Time between ticks while nothing arrives.
    static let tickInterval = Duration.milliseconds(100)

    /// - Parameters:
    ///   - handle: gets each reply, on the thread.
    ///   - tick: is called about ten times a second, on the thread.
    package init(
        binding endpoint: Endpoint, in context: Context, stamp: ProgressStamp, log: Logger,
        handle: @escaping @Sendable (FrontReply) -> Void, tick: @escaping @Sendable () -> Void
    ) {
        self.endpoint = endpoint
        self.context = context
        self.stamp = stamp
        self.log = log
        self.handle = handle
        self.tick = tick
    }

    /// Binds the endpoint and starts the thread; a socket that cannot be bound is an error here.
    package func start() throws(TransportError) {
        let socket = try PullSocket<FrontReply>(binding: endpoint, in: context)
        startDetachedThread(carrying: socket) { [self] socket in run(socket) }
    }

    private func run(_ socket: borrowing PullSocket<FrontReply>) {
        var nextTick = monotonicMilliseconds()
        while true {
            stamp.enter(.receiving)
            do {
                if let reply = try socket.receive(within: Self.tickInterval) {
                    stamp.enter(.working)
                    handle(reply)
                }
            } catch {
                log.error("reply not understood: \(error)")
                // A socket that fails again and again must not use up a core.
                if case .malformed = error { continue }
                usleep(100_000)
            }
            let now = monotonicMilliseconds()
            if now >= nextTick {
                nextTick = now + 100
                tick()
            }
        }
    }
}
