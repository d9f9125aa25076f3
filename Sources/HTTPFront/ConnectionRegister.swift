internal import DequeModule
internal import NIOCore
internal import Synchronization

/// The connections there are, and which of them only take room: a client that has not sent its whole request yet gives way
/// to a new one when there are too many.
final class ConnectionRegister: Sendable {
    private struct Entry {
        let channel: any Channel
        /// The number of the moment since which the server waits for a request; nil while it answers one.
        var waitingSince: UInt64?
    }

    /// A connection began to wait at a moment; out of date when it has stopped since.
    private struct Wait {
        let number: UInt64
        let moment: UInt64
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        /// In the order of moments.
        var waits: Deque<Wait> = []
        var moments: UInt64 = 0

        /// Takes out the connection that has waited longest.
        mutating func takeOldest() -> (any Channel)? {
            while let wait = waits.popFirst() {
                guard let entry = entries[wait.number], entry.waitingSince == wait.moment else { continue }
                entries[wait.number] = nil
                return entry.channel
            }
            return nil
        }

        /// A connection waits from now on.
        mutating func wait(_ number: UInt64) {
            entries[number]?.waitingSince = moments
            waits.append(Wait(number: number, moment: moments))
            // What is out of date must not outnumber what is not.
            guard waits.count > 2 * entries.count + 64 else { return }
            waits.removeAll { entries[$0.number]?.waitingSince != $0.moment }
        }
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
                victim = state.takeOldest()
                guard victim != nil else { return nil }
            }
            state.moments += 1
            state.entries[state.moments] = Entry(channel: channel)
            state.wait(state.moments)
            return state.moments
        }
        victim?.close(promise: nil)
        return number
    }

    /// A whole request has arrived, or its answer is out.
    func note(_ number: UInt64, isWaiting: Bool) {
        state.withLock { state in
            state.moments += 1
            if isWaiting { state.wait(number) } else { state.entries[number]?.waitingSince = nil }
        }
    }

    /// A connection is gone.
    func leave(_ number: UInt64) { state.withLock { $0.entries[number] = nil } }
}
