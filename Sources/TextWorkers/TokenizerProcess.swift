internal import ChatTemplates
package import ChildRuntime
internal import Logging
internal import Messages
package import ServerSettings
internal import Synchronization
internal import TokenizerSource
internal import Tokenizers
internal import Transport
internal import Values

/// Runs the tokenizer manager: text becomes ids, requests are checked against the model and go on to the worker.
///
/// It owns nothing that cannot be rebuilt: when it dies the front sends its requests again.
package func runTokenizerManager(identity: ChildIdentity, settings: TextSettings) throws {
    let log = LineLogHandler.logger(label: "tokenizer_manager", level: settings.logLevel)
    let context = Context()
    let stamp = ProgressStamp()
    let shared = SharedFacts()
    let fronts = FrontBoard()
    let line = try SupervisionLine(identity, context: context, stamp: stamp) { order in
        guard case .topology(let topology) = order.order else { return }
        shared.update(topology)
        fronts.update(topology)
    }
    let tokenizer = try openTokenizer(settings, TokenizerMemory(descriptor: ChildIdentity.tokenizerDescriptor))
    // Other processes read it too; this one, which splits text, tells of it.
    if let summary = tokenizer?.summary { log.info("\(summary)") }
    for warning in tokenizer?.warnings ?? [] { log.warning("\(warning)") }
    let templates = tokenizer == nil ? TemplateSet(TemplateSources()) : try openTemplates(settings)
    for fault in templates.faults { log.warning("\(fault)") }
    let process = try TokenizerProcess(
        tokenizer: tokenizer,
        inputs: tokenizer.map { InputTexts($0, followsFiles: settings.poolingRule == .checkpoint) },
        conversations: ConversationTexts(templates, tokenizer?.config), facts: shared,
        allowTruncate: settings.allowAutoTruncate, log: log,
        worker: PushSocket(connecting: Endpoint(.scheduler, in: identity.runDirectory), in: context),
        fronts: FrontPipes(in: identity.runDirectory, context, fronts))
    let commands = try PullSocket<TokenizerCommand>(
        binding: Endpoint(.tokenizer, in: identity.runDirectory), in: context)
    line.ready()
    while true {
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

/// What the others are, told by the launcher on one thread and read on another.
final class SharedFacts: Sendable {
    private struct Facts {
        var model: ModelFacts?
        var workerIsReady = false
    }

    private let facts = Mutex(Facts())

    /// Takes what the launcher's table says.
    func update(_ topology: Topology) {
        facts.withLock {
            if topology.hasModel { $0.model = topology.model }
            $0.workerIsReady = topology.processes.contains {
                $0.role == .scheduler && $0.rank == 0 && $0.state == .ready
            }
        }
    }

    /// What the model is; nil until the worker has said so.
    var model: ModelFacts? { facts.withLock { $0.model } }

    /// The worker has loaded and lives, as far as the launcher knows.
    var workerIsReady: Bool { facts.withLock { $0.workerIsReady } }
}

/// The work of the tokenizer manager, one command at a time.
struct TokenizerProcess: ~Copyable {
    let tokenizer: Tokenizer?
    /// How texts of requests for vectors become ids; nil without a tokenizer.
    let inputs: InputTexts?
    let conversations: ConversationTexts
    let facts: SharedFacts
    let allowTruncate: Bool
    let log: Logger
    let worker: PushSocket<WorkerCommand>
    let fronts: FrontPipes

    func obey(_ command: TokenizerCommand) {
        switch command.command {
        case .generate(let generate): accept(generate)
        case .embeds(let list): accept(list)
        case .abort(let abort): send(.make { $0.abort = abort })
        case .livingFronts(let fronts): send(.make { $0.livingFronts = fronts })
        case .control(let call): send(.make { $0.control = call })
        case .encode(let encode): answer(encode)
        case .decode(let decode): answer(decode)
        case .abortMatching(let abort): tellOthers(abort)
        case nil: log.error("a tokenizer command of an unknown kind was ignored")
        }
    }

    private func accept(_ generate: Generate) {
        do throws(PromptChecks.Refusal) {
            var request = GenerateIDs()
            request.key = generate.key
            request.prompt = try prompt(generate)
            request.sampling = showingMarkers(generate.sampling)
            if generate.hasLogprobs { request.logprobs = generate.logprobs }
            (request.resumedIds, request.resumedWeights) = (generate.resumedIds, generate.resumedWeights)
            if case .vectors(let vectors)? = generate.prompt { request.vectors = vectors }
            request.options = generate.options
            try checkPatterns(generate.sampling)
            let model = facts.model
            try PromptChecks.check(
                &request, context: model.map { Int($0.contextLength) },
                vocabulary: model.map { Int($0.vocabularySize) },
                allowTruncate: allowTruncate)
            if generate.wantsPromptIds {
                send(
                    .make {
                        $0.promptIds = .make {
                            $0.key = generate.key; $0.ids = request.prompt
                        }
                    })
            }
            send(.make { $0.generate = request })
        } catch {
            refuse(generate.key, error)
        }
    }

    /// Markers of thinking that are special tokens have to stay in the text for the front to find them.
    private func showingMarkers(_ sampling: SamplingParams) -> SamplingParams {
        guard sampling.hasThinking, sampling.skipSpecialTokens, let tokenizer else { return sampling }
        let markers = [sampling.thinking.start, sampling.thinking.end]
        guard markers.contains(where: { tokenizer.holdsSpecial($0) }) else { return sampling }
        var sampling = sampling
        sampling.skipSpecialTokens = false
        return sampling
    }

    /// Tells a request's front why it cannot run.
    func refuse(_ key: RequestKey, _ refusal: PromptChecks.Refusal) {
        send(
            .make {
                $0.failure = .make {
                    $0.key = key
                    $0.message = refusal.message
                    $0.statusCode = 400
                    $0.errorType = "BadRequestError"
                }
            })
    }

    private func prompt(_ generate: Generate) throws(PromptChecks.Refusal) -> [Int32] {
        switch generate.prompt {
        case .ids(let list): return generate.history + list.ids
        case .text(let text):
            return generate.history + (try present()).encode(text, addSpecialTokens: !generate.plainText)
        case .vectors(let vectors):
            // The ids that stand for them mean nothing.
            return Array(repeating: 0, count: vectors.count)
        case .conversation(let conversation):
            // The template writes special tokens itself.
            return try present().encode(conversations.text(conversation), addSpecialTokens: false)
        case nil: return generate.history
        }
    }

    /// The tokenizer, which text needs.
    func present() throws(PromptChecks.Refusal) -> Tokenizer {
        guard let tokenizer else {
            throw PromptChecks.Refusal(
                message: """
                    The engine initialized with skip_tokenizer_init=True cannot accept text prompts. Please provide \
                    input_ids or re-initialize the engine with skip_tokenizer_init=False.
                    """)
        }
        return tokenizer
    }

    private func checkPatterns(_ sampling: SamplingParams) throws(PromptChecks.Refusal) {
        for text in sampling.stopRegex {
            do { _ = try TextPattern(text) } catch {
                throw PromptChecks.Refusal(message: "stop_regex `\(text)` is not a regular expression: \(error)")
            }
        }
    }

    private func answer(_ encode: Encode) {
        var reply = EncodeReply.make { $0.call = encode.call }
        do throws(PromptChecks.Refusal) {
            let texts = encode.hasConversation ? [try conversations.text(encode.conversation)] : encode.texts
            reply.lists = texts.map { text in
                .make { $0.ids = tokenizer?.encode(text, addSpecialTokens: encode.addSpecialTokens) ?? [] }
            }
        } catch { reply.error = error.message }
        send(.make { $0.encoded = reply })
    }

    private func answer(_ decode: Decode) {
        let size = tokenizer?.vocabularySize ?? 0
        let wrong = decode.lists.lazy.flatMap(\.ids).first { $0 < 0 || Int($0) >= size }
        let texts =
            wrong == nil
            ? decode.lists.map { tokenizer?.decode($0.ids, skipSpecialTokens: decode.skipSpecialTokens) ?? "" } : []
        send(
            .make {
                $0.decoded = .make {
                    $0.call = decode.call
                    $0.texts = texts
                    if let wrong { $0.error = "token id \(wrong) is out of vocabulary; valid range is [0, \(size))" }
                }
            })
    }

    /// A worker that is gone comes back, and the front then sends again what was lost. Before it is ready nothing can be lost:
    /// it knows of nothing that a command could be about.
    func send(_ command: WorkerCommand) {
        do throws(TransportError) { try worker.send(command, within: .seconds(1)) } catch {
            let level: Logger.Level = facts.workerIsReady ? .warning : .debug
            log.log(level: level, "a command for the worker was lost: \(error)")
        }
    }

    /// Fronts that were replaced, and still finish what they have, hear of what another one was asked.
    private func tellOthers(_ abort: AbortMatching) {
        let reply = FrontReply.make { $0.abortMatching = abort }
        do throws(TransportError) { try fronts.tell(reply, allBut: abort.front, within: .seconds(1)) } catch {
            log.warning("another front was not told what to give up: \(error)")
        }
    }

    func send(_ reply: FrontReply) {
        do throws(TransportError) { try fronts.send(reply, within: .seconds(1)) } catch {
            log.warning("a reply to the front was lost: \(error)")
        }
    }
}
