internal import APICore
internal import CPlatform
internal import NIOCore
internal import Synchronization

/// One client's connection: who it is, and what to do when it goes away.
final class ClientConnection: Client, Sendable {
    private enum State {
        case open(onClose: (@Sendable () -> Void)?)
        case closed
    }

    /// Address and port as access lines show them.
    let peer: String
    /// What the client is at the other end of; nil for requests that did not come over a socket.
    private let channel: (any Channel)?
    private let isSpare: @Sendable (Bool) -> Void
    private let state = Mutex<State>(.open(onClose: nil))

    /// - Parameter isSpare: is told whether the connection may be closed when there are too many, while it has a request.
    init(peer: String, channel: (any Channel)? = nil, isSpare: @escaping @Sendable (Bool) -> Void = { _ in }) {
        self.peer = peer
        self.channel = channel
        self.isSpare = isSpare
    }

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

    // MARK: Clients that do not read

    func mayGo(_ mayGo: Bool) { isSpare(mayGo) }

    var delivery: Delivery? { channel?.delivery }

    func keepAsking(_ asks: Bool) { _ = channel?.withSocket { platform_keep_asking($0, asks ? 1 : 0) } }

    /// On the event loop.
    func after(seconds: Double, _ action: @escaping @Sendable () -> Void) {
        guard let channel else { return action() }
        channel.eventLoop.scheduleTask(in: .milliseconds(Int64(seconds * 1000)), action)
    }
}
