internal import Synchronization

/// One client's connection: who it is, and what to do when it goes away.
final class ClientConnection: Sendable {
    private enum State {
        case open(onClose: (@Sendable () -> Void)?)
        case closed
    }

    /// Address and port as access lines show them.
    let peer: String
    private let state = Mutex<State>(.open(onClose: nil))

    init(peer: String) { self.peer = peer }

    /// Does `action` once when the client goes away before `settle` is called; at once if it is gone.
    func whenClosed(_ action: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            guard case .open = state else { return true }
            state = .open(onClose: action)
            return false
        }
        if isClosed { action() }
    }

    /// The request in work was answered.
    func settle() {
        state.withLock { state in
            if case .open = state { state = .open(onClose: nil) }
        }
    }

    /// The client is gone.
    func close() {
        let action = state.withLock { state -> (@Sendable () -> Void)? in
            guard case .open(let action) = state else { return nil }
            state = .closed
            return action
        }
        action?()
    }
}
