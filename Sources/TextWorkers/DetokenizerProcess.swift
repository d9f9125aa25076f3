package import ChildRuntime
internal import Logging
internal import Messages
package import ServerSettings
internal import TokenizerSource
internal import Tokenizers
internal import Transport

/// Runs the detokenizer: ids become text, stop strings are trimmed, and frames go to the front.
///
/// Its state can be rebuilt from ids: what it does not know it asks the front to send again.
package func runDetokenizer(identity: ChildIdentity, settings: TextSettings) throws {
    let log = LineLogHandler.logger(label: "detokenizer", level: settings.logLevel)
    let context = Context()
    let stamp = ProgressStamp()
    let fronts = FrontBoard()
    let line = try SupervisionLine(identity, context: context, stamp: stamp) { order in
        if case .topology(let topology) = order.order { fronts.update(topology) }
    }
    let tokenizer = try openTokenizer(settings, TokenizerMemory(descriptor: ChildIdentity.tokenizerDescriptor))
    var process = DetokenizerProcess(
        tokenizer: tokenizer, log: log, fronts: FrontPipes(in: identity.runDirectory, context, fronts))
    let commands = try PullSocket<DetokenizerCommand>(
        binding: Endpoint(.detokenizer, in: identity.runDirectory), in: context)
    line.ready()
    while true {
        stamp.load(queued: 0, running: process.table.count)
        stamp.enter(.idle)
        do throws(TransportError) {
            guard let command = try commands.receive() else { continue }
            stamp.enter(.working)
            process.obey(command)
        } catch {
            guard case .malformed = error else { throw error }
            log.error("\(error)")
        }
    }
}

/// The work of the detokenizer, one command at a time.
struct DetokenizerProcess: ~Copyable {
    let tokenizer: Tokenizer?
    let log: Logger
    let fronts: FrontPipes
    var table = DecodeTable()

    init(tokenizer: Tokenizer?, log: Logger, fronts: FrontPipes) {
        self.tokenizer = tokenizer
        self.log = log
        self.fronts = fronts
    }

    mutating func obey(_ command: DetokenizerCommand) {
        let tokenizer = tokenizer
        let decode: DecodeTable.Decode = { ids, skips in
            tokenizer?.decode(Array(ids), skipSpecialTokens: skips) ?? ""
        }
        switch command.command {
        case .tokens(var batch):
            for index in batch.openings.indices {
                batch.openings[index].promptTail = tokenizer?.context(batch.openings[index].promptTail) ?? []
            }
            let (text, missing) = table.take(batch, decode: decode)
            if !text.requestIds.isEmpty { send(.make { $0.text = text }) }
            if !missing.isEmpty { send(.make { $0.resubmit = .make { $0.keys = missing } }) }
        case .abort(let abort):
            if let text = table.abort(abort, decode: decode) { send(.make { $0.text = text }) }
        case .livingFronts(let fronts): table.keep(Set(fronts.generations))
        case nil: log.error("a detokenizer command of an unknown kind was ignored")
        }
    }

    private func send(_ reply: FrontReply) {
        do throws(TransportError) { try fronts.send(reply, within: .seconds(2)) } catch {
            log.warning("a frame for the front was lost: \(error)")
        }
    }
}
