internal import NIOCore
internal import Synchronization

/// The connections there are, and which of them only take room: a client that has not even sent its request yet gives way
/// to a new one when there are too many.
final class ConnectionRegister: Sendable {
    private struct Entry {
        let channel: any Channel
        /// The number of the moment since which the server waits for a request; nil while it receives or answers one.
        var waitingSince: UInt64?
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var moments: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    /// A register for at most `limit` connections.
    init(limit: Int) { self.limit = limit }

    /// Connections there are now.
    var count: Int { state.withLock { $0.entries.count } }

    /// Takes a new connection in, if need be in place of the one that has waited longest without a request; its number,
    /// or nil when all the others are being served.
    func enter(_ channel: any Channel) -> UInt64? {
        var victim: (any Channel)?
        let number: UInt64? = state.withLock { state in
            if state.entries.count >= limit {
                let waiting = state.entries.filter { $0.value.waitingSince != nil }
                guard let oldest = waiting.min(by: { $0.value.waitingSince! < $1.value.waitingSince! }) else {
                    return nil
                }
                victim = oldest.value.channel
                state.entries[oldest.key] = nil
            }
            state.moments += 1
            state.entries[state.moments] = Entry(channel: channel, waitingSince: state.moments)
            return state.moments
        }
        victim?.close(promise: nil)
        return number
    }

    /// A request's head has arrived, or its answer is out.
    func note(_ number: UInt64, isWaiting: Bool) {
        state.withLock { state in
            state.moments += 1
            state.entries[number]?.waitingSince = isWaiting ? state.moments : nil
        }
    }

    /// A connection is gone.
    func leave(_ number: UInt64) { state.withLock { $0.entries[number] = nil } }
}
