internal import Synchronization

/// What a child's main loop is doing, written by the loop and read by the heartbeat thread, so that a hang can be told from work.
package final class ProgressStamp: Sendable {
    /// The phases a loop can be in.
    package enum Phase: UInt8, Sendable {
        case starting, idle, receiving, prefill, decode, working, stopping
    }

    private let state = Atomic<UInt64>(0)
    private let count = Atomic<UInt64>(0)
    private let queuedCount = Atomic<UInt32>(0)
    private let runningCount = Atomic<UInt32>(0)

    package init() { enter(.starting) }

    /// The loop enters a phase now.
    package func enter(_ phase: Phase) {
        state.store(UInt64(phase.rawValue) << 56 | monotonicMilliseconds(), ordering: .relaxed)
        count.wrappingAdd(1, ordering: .relaxed)
    }

    /// Tells how much work there is.
    package func load(queued: Int, running: Int) {
        queuedCount.store(UInt32(clamping: queued), ordering: .relaxed)
        runningCount.store(UInt32(clamping: running), ordering: .relaxed)
    }

    /// The phase, for how long it has lasted, how many phases were entered so far, and the load.
    package var snapshot: (phase: Phase, milliseconds: UInt64, progress: UInt64, queued: UInt32, running: UInt32) {
        let value = state.load(ordering: .relaxed)
        let since = value & (1 << 56 - 1)
        let now = monotonicMilliseconds()
        return (
            Phase(rawValue: UInt8(value >> 56)) ?? .working, now > since ? now - since : 0,
            count.load(ordering: .relaxed),
            queuedCount.load(ordering: .relaxed), runningCount.load(ordering: .relaxed)
        )
    }
}
