internal import CPlatform
internal import Glibc
package import Messages
internal import Synchronization
package import Transport

/// A child's line to the launcher, run by a thread of its own: heartbeats go out while the main loop computes, orders come in,
/// and when the launcher is gone the process ends at once.
package final class SupervisionLine: Sendable {
    private let identity: ChildIdentity
    private let stamp: ProgressStamp
    private let outbox = Mutex<[ChildReport]>([])
    private let wake: Int32
    private let onOrder: @Sendable (LauncherOrder) -> Void

    /// Connects, says hello and starts the thread. Orders are handed to `onOrder` on that thread; a stop order ends the
    /// process after `onOrder` returns.
    package init(
        _ identity: ChildIdentity, context: Context, stamp: ProgressStamp,
        onOrder: @escaping @Sendable (LauncherOrder) -> Void
    ) throws(TransportError) {
        self.identity = identity
        self.stamp = stamp
        self.onOrder = onOrder
        wake = platform_event_descriptor()
        if platform_die_with_parent(identity.launcher) != 0 { _exit(0) }
        let endpoint = Endpoint(.supervisor, in: identity.runDirectory)
        startDetachedThread { [self] in
            do { try run(endpoint, context) } catch { _exit(70) }
        }
        send { $0.hello = Hello() }
    }

    /// Reports how far start-up is.
    package func progress(_ stage: String, _ fraction: Double) {
        send {
            $0.progress = .make {
                $0.stage = stage; $0.fraction = fraction
            }
        }
    }

    /// Reports that start-up is done.
    package func ready(_ facts: ModelFacts? = nil) {
        send { $0.ready = .make { if let facts { $0.model = facts } } }
    }

    /// Says why the process leaves, waits until that is on its way, and ends it.
    package func leave(_ reason: String, code: Int32) -> Never {
        send { $0.goodbye = .make { $0.reason = reason } }
        // The thread empties the outbox at once; a launcher that is gone cannot hold us.
        for _ in 0..<200 where outbox.withLock({ !$0.isEmpty }) { usleep(1000) }
        usleep(2000)
        _exit(code)
    }

    private func send(_ fill: (inout ChildReport) -> Void) {
        var report = ChildReport.make {
            $0.role = identity.role
            $0.rank = UInt32(identity.rank)
            $0.generation = identity.generation
        }
        fill(&report)
        outbox.withLock { $0.append(report) }
        platform_event_signal(wake)
    }

    private func run(_ endpoint: Endpoint, _ context: Context) throws(TransportError) {
        let socket = try DealerSocket(connecting: endpoint, in: context)
        var nextBeat = monotonicMilliseconds() + 1000
        while true {
            let now = monotonicMilliseconds()
            let pause = Duration.milliseconds(nextBeat > now ? Int(nextBeat - now) : 0)
            let readable = try socket.wait(or: [wake, ChildIdentity.lifelineDescriptor], within: pause)
            if readable.contains(1) { _exit(0) }
            if readable.contains(0) { platform_event_clear(wake) }
            for report in outbox.withLock({
                let all = $0; $0 = []; return all
            }) { try socket.send(report) }
            while let order = try socket.receive() { obey(order, socket) }
            if monotonicMilliseconds() >= nextBeat {
                try socket.send(heartbeat())
                nextBeat = monotonicMilliseconds() + 1000
            }
        }
    }

    private func obey(_ order: LauncherOrder, _ socket: borrowing DealerSocket) {
        onOrder(order)
        guard case .stop(true) = order.order else { return }
        var report = heartbeat()
        report.goodbye = .make { $0.reason = "told to stop" }
        try? socket.send(report)
        usleep(2000)
        _exit(0)
    }

    private func heartbeat() -> ChildReport {
        let now = stamp.snapshot
        return .make {
            $0.role = identity.role
            $0.rank = UInt32(identity.rank)
            $0.generation = identity.generation
            $0.heartbeat = .make {
                $0.phase = "\(now.phase)"
                $0.phaseMilliseconds = now.milliseconds
                $0.progress = now.progress
                $0.queued = now.queued
                $0.running = now.running
                $0.residentBytes = ChildRuntime.residentBytes()
                $0.cpuSeconds = processorSeconds()
            }
        }
    }
}
