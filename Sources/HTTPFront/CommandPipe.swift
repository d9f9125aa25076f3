internal import DequeModule
package import Messages
internal import Synchronization
package import Transport

/// The way to the tokenizer manager: keeps the order of commands and never waits. What cannot be taken now goes out later.
package final class CommandPipe: Sendable {
    private struct State: ~Copyable {
        let socket: PushSocket<TokenizerCommand>
        var backlog: Deque<TokenizerCommand> = []
    }

    private let state: Mutex<State>

    /// Connects to the tokenizer manager, whether or not it is there.
    package init(connecting endpoint: Endpoint, in context: Context) throws(TransportError) {
        state = Mutex(State(socket: try PushSocket(connecting: endpoint, in: context)))
    }

    /// Sends a command behind all earlier ones.
    package func send(_ command: TokenizerCommand) {
        state.withLock { state in
            if state.backlog.isEmpty, Self.isTaken(command, by: state.socket) { return }
            state.backlog.append(command)
        }
    }

    /// Sends what could not be sent before, as far as it goes now.
    package func retry() {
        state.withLock { state in
            while let command = state.backlog.first, Self.isTaken(command, by: state.socket) {
                state.backlog.removeFirst()
            }
        }
    }

    /// Drops requests that were never taken, since all open ones are going to be submitted again.
    func forgetRequests() {
        state.withLock { state in
            state.backlog.removeAll { command in
                switch command.command {
                case .generate?, .embeds?: true
                default: false
                }
            }
        }
    }

    private static func isTaken(_ command: TokenizerCommand, by socket: borrowing PushSocket<TokenizerCommand>) -> Bool
    {
        do { try socket.send(command, within: .zero) } catch { return false }
        return true
    }
}
