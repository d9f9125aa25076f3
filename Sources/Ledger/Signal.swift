internal import Synchronization

/// Lets one task sleep until something happened; a notification that comes before the wait is not lost.
final class Signal: Sendable {
    private enum State {
        case quiet
        case notified
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex<State>(.quiet)

    /// Wakes the waiting task, or the next one that waits.
    func notify() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .waiting(let continuation) = state else {
                state = .notified
                return nil
            }
            state = .quiet
            return continuation
        }
        waiting?.resume()
    }

    /// Returns once there was a notification since the last return. Only one task may wait.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isNotified = state.withLock { state -> Bool in
                switch state {
                case .notified:
                    state = .quiet
                    return true
                case .quiet:
                    state = .waiting(continuation)
                    return false
                case .waiting: preconditionFailure("two tasks wait for one signal")
                }
            }
            if isNotified { continuation.resume() }
        }
    }
}
