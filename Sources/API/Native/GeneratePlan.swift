internal import APICore
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// Turns a checked /generate body into rows for the ledger: one for each sample of each prompt, prompt by prompt.
struct GeneratePlan: Sendable {
    var openings: [RequestLedger.Opening]
    /// The answer is a list.
    var isList: Bool
    var stream: Bool
    var returnsPromptIDs: Bool
    var session: SessionPlace?
    /// The request may stand in logs.
    var isLogged: Bool

    /// Plans a request.
    ///
    /// - Parameter serial: a number that no other request of the server has.
    /// - Throws: `.invalid` for values out of range, `.neverFits` for more rows than the server could hold.
    init(_ request: GenerateRequest, _ rules: GenerationRules, serial: UInt64) throws(RequestFailure) {
        isList = request.isList || request.samples > 1
        stream = request.stream
        returnsPromptIDs = request.returnPromptIDs
        session = request.session
        isLogged = request.isLogged
        openings = []
        let (rows, overflow) = request.batchSize.multipliedReportingOverflow(by: request.samples)
        guard !overflow, rows <= rules.maximumRows else {
            throw .neverFits(rows: overflow ? Int.max : rows, limit: rules.maximumRows)
        }
        let rids = try Self.rids(request)
        let ranges = SamplingRanges(limits: rules.limits)
        for prompt in 0..<request.batchSize {
            let template = try Self.template(request, prompt, rules, ranges)
            let given = request.sampling[prompt]["sampling_seed"]?.intValue
            for sample in 0..<request.samples {
                var message = template
                message.sampling.seed = SampleSeeds.seed(
                    given: given, server: rules.randomSeed, serial: serial,
                    row: (prompt * request.samples + sample, sample))
                var opening = RequestLedger.Opening(
                    .generate(message), rid: rids?[prompt] ?? ClientName(RequestNames.fresh()))
                opening.isCounted = request.isCounted
                openings.append(opening)
            }
        }
    }

    /// The rids that the client chose; nil for fresh ones.
    private static func rids(_ request: GenerateRequest) throws(RequestFailure) -> [ClientName]? {
        guard let rid = request.rid, request.samples == 1 else { return nil }
        let rids =
            switch rid {
            case .one(let rid): request.isList ? (0..<request.batchSize).map { "\(rid)_\($0)" } : [rid]
            case .many(let rids): rids
            }
        var seen: Set<ClientName> = []
        var repeated: [ClientName] = []
        for rid in rids where !seen.insert(rid).inserted && !repeated.contains(rid) { repeated.append(rid) }
        guard repeated.isEmpty else {
            let list = repeated.map { "'\($0)'" }.joined(separator: ", ")
            throw .invalid("Duplicate request IDs detected within the request: [\(list)]")
        }
        return rids
    }

    private static func template(
        _ request: GenerateRequest, _ prompt: Int, _ rules: GenerationRules, _ ranges: SamplingRanges
    ) throws(RequestFailure) -> Generate {
        var message = Generate()
        switch request.prompts {
        case .texts(let texts):
            if rules.limits.skipsTokenizer {
                throw .invalid(
                    "The engine initialized with skip_tokenizer_init=True cannot accept text prompts. Please provide "
                        + "input_ids or re-initialize the engine with skip_tokenizer_init=False.")
            }
            if texts[prompt].isEmpty { throw .invalid("text cannot be empty.") }
            message.text = texts[prompt]
        case .vectors(let prompts): message.vectors = prompts[prompt]
        case .ids(let lists):
            message.ids = try TokenIDs(checking: lists[prompt], "input_ids", rules.limits.vocabulary)
        }
        let given = request.sampling[prompt]
        message.sampling = try ranges.parameters(given)
        if request.requiresReasoning { try Self.beginThinking(&message.sampling, rules) }
        if let logprobs = try Self.logprobs(request, prompt, rules) { message.logprobs = logprobs }
        let routedExpertsFrom = try rules.routedExperts(from: request.routedExpertsStart)
        message.options = .make {
            if let routedExpertsFrom { $0.routedExpertsFrom = routedExpertsFrom }
            $0.stream = request.stream
            $0.streamInterval = UInt32(clamping: max(1, given["stream_interval"]?.intValue ?? rules.streamInterval))
            $0.cacheKey = request.cacheKeys[prompt]
            $0.hiddenStates = request.returnHiddenStates[prompt] ? rules.hiddenStates : .noRow
            if let priority = request.priority { $0.priority = Int64(priority) }
            $0.routingKey = request.routingKey.isEmpty ? rules.routingKey : request.routingKey
        }
        message.allowTruncate = rules.allowsTruncation
        message.wantsPromptIds = request.returnPromptIDs || request.session != nil
        return message
    }

    /// Lets a grammar begin behind the thinking part.
    private static func beginThinking(
        _ sampling: inout SamplingParams, _ rules: GenerationRules
    ) throws(RequestFailure) {
        guard let thinking = rules.openThinking else {
            if sampling.grammar == nil { return }
            throw .invalid("require_reasoning needs a server that was started with --reasoning-parser.")
        }
        (sampling.thinking, sampling.grammarAfter) = (thinking.part, thinking.answer)
    }

    private static func logprobs(
        _ request: GenerateRequest, _ prompt: Int, _ rules: GenerationRules
    ) throws(RequestFailure) -> LogprobOptions? {
        guard request.returnLogprob[prompt] else { return nil }
        var options = LogprobOptions()
        options.start = Int32(clamping: max(-1, request.logprobStart[prompt]))
        let most = rules.limits.vocabulary == 0 ? Int(Int32.max) : rules.limits.vocabulary
        options.topCount = UInt32(clamping: min(most, max(0, request.topLogprobs[prompt])))
        options.withText = request.textInLogprobs
        if let ids = request.tokenIDsLogprob?[prompt], !ids.isEmpty {
            options.tokenIds = try TokenIDs(checking: ids, "token_ids_logprob", rules.limits.vocabulary)
        }
        return options
    }
}
