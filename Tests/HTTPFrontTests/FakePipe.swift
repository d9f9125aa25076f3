import Dispatch
import Messages
import PipeStages
import Synchronization
import Transport

/// Stands for tokenizer manager, worker and detokenizer in one, on real sockets.
final class FakePipe: Sendable {
    /// What the front has sent so far.
    struct Log: Sendable {
        var generates: [Generate] = []
        var aborts: [Abort] = []
        var livingFronts: [[UInt64]] = []
    }

    private let state = Mutex(Log())
    private let arrivals = DispatchSemaphore(value: 0)
    private let isOver = Atomic(false)

    init(in runDirectory: String, context: Context) throws {
        let pull = Box(try PullSocket<TokenizerCommand>(binding: Endpoint(.tokenizer, in: runDirectory), in: context))
        let push = try PushSocket<FrontReply>(connecting: Endpoint(front: 1, in: runDirectory), in: context)
        DispatchQueue(label: "fake pipe").async { [self] in
            while !isOver.load(ordering: .relaxed) {
                guard let command = try? pull.socket.receive(within: .milliseconds(20)) else { continue }
                note(command)
                for reply in EchoStages.answer(command) { try? push.send(reply, within: .seconds(5)) }
                arrivals.signal()
            }
        }
    }

    var log: Log { state.withLock { $0 } }

    func stop() { isOver.store(true, ordering: .relaxed) }

    /// Blocks until the log fits, or for ten seconds; whether it fits.
    func waits(until fits: (Log) -> Bool) -> Bool {
        while !fits(log) {
            if arrivals.wait(timeout: .now() + .seconds(10)) == .timedOut { return fits(log) }
        }
        return true
    }

    private func note(_ command: TokenizerCommand) {
        state.withLock { log in
            switch command.command {
            case .generate(let generate)?: log.generates.append(generate)
            case .abort(let abort)?: log.aborts.append(abort)
            case .livingFronts(let fronts)?: log.livingFronts.append(fronts.generations)
            default: break
            }
        }
    }

    private final class Box: Sendable {
        // Only the queue's closure uses it.
        nonisolated(unsafe) let socket: PullSocket<TokenizerCommand>
        init(_ socket: consuming PullSocket<TokenizerCommand>) { self.socket = socket }
    }
}
