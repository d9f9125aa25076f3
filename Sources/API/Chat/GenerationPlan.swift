package import APICore
internal import JSON
package import Ledger
package import Messages
internal import Values

/// Makes rows for the ledger of prompts in OpenAI's manner: one for each sample of each prompt, prompt by prompt.
package struct GenerationPlan: Sendable {
    /// What the model goes on from.
    package enum Prompt: Sendable {
        case text(String)
        case ids([Int])
        case conversation(Conversation)
    }

    /// The prompts, in the order of the answer.
    package var prompts: [Prompt]
    package var fields: GenerationFields
    /// Nil for none.
    package var logprobs: LogprobOptions?
    /// The answer holds the prompt's ids.
    package var wantsPromptIDs = false
    /// Where the thinking part of an answer is, and how long it may be; nil: nobody looks for one.
    package var thinking: ThinkingPart?
    /// Texts behind which the grammar begins; none: where the worker finds the end of an open thinking part, or at once.
    package var grammarAfter: [String] = []

    package init(_ prompts: [Prompt], _ fields: GenerationFields) {
        self.prompts = prompts
        self.fields = fields
    }

    /// The rows.
    ///
    /// - Parameter serial: a number that no other request of the server has.
    /// - Throws: `.invalid` for values out of range, `.neverFits` for more rows than the server could hold.
    package func openings(
        _ rules: GenerationRules, serial: UInt64
    ) throws(RequestFailure) -> [RequestLedger.Opening] {
        let (rows, overflow) = prompts.count.multipliedReportingOverflow(by: fields.samples)
        guard !overflow, rows <= rules.maximumRows else {
            throw .neverFits(rows: overflow ? Int.max : rows, limit: rules.maximumRows)
        }
        if let count = fields.cacheKeys.count, count != prompts.count {
            throw .invalid("The length of extra_key should be equal to the batch size.")
        }
        let rids = try rids()
        let sampling = try SamplingRanges(limits: rules.limits).parameters(fields.sampling)
        var openings: [RequestLedger.Opening] = []
        openings.reserveCapacity(rows)
        for (place, prompt) in prompts.enumerated() {
            var message = try request(prompt, place, sampling, rules)
            for sample in 0..<fields.samples {
                message.sampling.seed = SampleSeeds.seed(
                    given: fields.seed, server: rules.randomSeed, serial: serial,
                    row: (place * fields.samples + sample, sample))
                openings.append(.init(.generate(message), rid: rids?[place] ?? ClientName(RequestNames.fresh())))
            }
        }
        return openings
    }

    /// The names that the client chose; nil for fresh ones.
    private func rids() throws(RequestFailure) -> [ClientName]? {
        guard let rid = fields.rid, fields.samples == 1 else { return nil }
        switch rid {
        case .one(let rid): return prompts.count == 1 ? [rid] : prompts.indices.map { "\(rid)_\($0)" }
        case .many(let rids):
            guard rids.count == prompts.count else {
                throw .invalid("The specified rids length mismatch with the batch_size for batch processing.")
            }
            guard Set(rids).count == rids.count else {
                throw .invalid("Duplicate request IDs detected within the request.")
            }
            return rids
        }
    }

    private func request(
        _ prompt: Prompt, _ place: Int, _ sampling: SamplingParams, _ rules: GenerationRules
    ) throws(RequestFailure) -> Generate {
        var message = Generate()
        switch prompt {
        case .text(let text): message.text = text
        case .ids(let ids): message.ids = try TokenIDs(checking: ids, "input_ids", rules.limits.vocabulary)
        case .conversation(let conversation): message.conversation = conversation
        }
        message.sampling = sampling
        if let thinking { message.sampling.thinking = thinking }
        message.sampling.grammarAfter = grammarAfter
        if let logprobs { message.logprobs = logprobs }
        let expertsFrom = try rules.routedExperts(from: fields.routedExpertsStart)
        if fields.hiddenStates != nil, rules.hiddenStates == .noRow { throw .noHiddenStates }
        let interval = fields.sampling["stream_interval"]?.intValue ?? rules.streamInterval
        message.options = .make {
            $0.stream = fields.isStreamed
            $0.streamInterval = UInt32(clamping: max(1, interval))
            $0.cacheKey = fields.cacheKeys[place]
            if let priority = fields.priority { $0.priority = Int64(priority) }
            $0.routingKey = rules.routingKey
            // No answer in this manner shows the rows of a prompt but the last.
            if fields.hiddenStates != nil { $0.hiddenStates = .lastRow }
            if let expertsFrom { $0.routedExpertsFrom = expertsFrom }
        }
        message.allowTruncate = rules.allowsTruncation
        message.wantsPromptIds = wantsPromptIDs
        return message
    }
}
