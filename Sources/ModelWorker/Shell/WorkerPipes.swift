internal import ChildRuntime
internal import Logging
internal import Messages
internal import Transport

/// The worker's sockets. One thread uses them.
struct WorkerPipes: ~Copyable {
    private let commands: PullSocket<WorkerCommand>
    private let detokenizer: PushSocket<DetokenizerCommand>
    private let fronts: FrontPipes
    private let log: Logger

    /// Opens them: commands come in here, tokens go to the detokenizer, refusals and answers of control calls to the fronts.
    init(_ identity: ChildIdentity, context: Context, fronts board: FrontBoard, log: Logger) throws {
        let folder = identity.runDirectory
        let detokenizer = try PushSocket<DetokenizerCommand>(
            connecting: Endpoint(.detokenizer, in: folder), in: context)
        let commands = try PullSocket<WorkerCommand>(binding: Endpoint(.scheduler, in: folder), in: context)
        self.detokenizer = detokenizer
        self.commands = commands
        fronts = FrontPipes(in: folder, context, board)
        self.log = log
    }

    /// The next command; nil when none came in time. Without a time it waits for ever.
    func receive(within wait: Duration?) throws(TransportError) -> WorkerCommand? {
        do throws(TransportError) {
            return try commands.receive(within: wait)
        } catch {
            guard case .malformed = error else { throw error }
            log.error("\(error)")
            return nil
        }
    }

    /// Hands a message to the detokenizer. A consumer that is gone comes back, and the front then asks for what was lost.
    func send(_ command: DetokenizerCommand) {
        do throws(TransportError) { try detokenizer.send(command, within: .seconds(2)) } catch {
            log.warning("a frame for the detokenizer was lost: \(error)")
        }
    }

    /// Hands a message to the front.
    func send(_ reply: FrontReply) {
        do throws(TransportError) { try fronts.send(reply, within: .seconds(2)) } catch {
            log.warning("a reply to the front was lost: \(error)")
        }
    }
}
