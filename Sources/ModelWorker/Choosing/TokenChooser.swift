package import Messages
internal import Tensors
package import Tokenizers

/// Chooses the tokens of one request: penalties and bias change its row of logits, the sampler draws, the log probabilities are told, the
/// stop rules say whether it is over.
///
/// Everything it knows is a function of what was asked and of the ids so far, so another attempt goes on where the last one ended.
package struct TokenChooser: Sendable {
    /// What became of a row of logits.
    package struct Choice: Equatable {
        /// The token; nil when the request asked for none, or none is possible.
        package var token: Int32?
        /// Why the request is over; nil while it goes on.
        package var finish: FinishReason?

        package init(token: Int32?, finish: FinishReason?) {
            self.token = token
            self.finish = finish
        }
    }

    private let sampling: SamplingParams
    private let maxNewTokens: Int
    private var penalties: Penalties
    private var stop: StopRules
    private var thinking: ThinkingWatch?
    /// How far the text is within its grammar; nil: it has none.
    private var grammar: GrammarProgress?
    /// Log probabilities that no frame has taken yet; nil when none are wanted.
    package var logprobs: LogprobCollector?

    /// The chooser of a request whose limit was cut to `maxNewTokens`, behind the ids of its earlier attempts.
    ///
    /// - Throws: When a stop pattern is no regular expression; the tokenizer manager has refused such requests before.
    package init(
        _ command: GenerateIDs, maxNewTokens: Int, endIDs: [Int32], vocabularySize: Int, grammar: ServedGrammar? = nil
    ) throws {
        sampling = command.sampling
        self.maxNewTokens = maxNewTokens
        stop = try StopRules(
            command.sampling, maxNewTokens: maxNewTokens, endIDs: endIDs, vocabularySize: vocabularySize)
        penalties = Penalties(command.sampling, stopIDs: stop.ids, output: command.resumedIds)
        thinking =
            command.sampling.hasThinking
            ? ThinkingWatch(command.sampling.thinking, maxNewTokens: maxNewTokens) : nil
        logprobs = command.hasLogprobs ? LogprobCollector(command.logprobs) : nil
        self.grammar = grammar.map {
            GrammarProgress($0, begins: Self.beginning(command.sampling), output: command.resumedIds)
        }
    }

    /// Where the grammar begins: behind the thinking part, where the answer begins inside of one. A call of a tool ends it too, but
    /// belongs to what the grammar binds.
    private static func beginning(_ sampling: SamplingParams) -> GrammarProgress.Beginning {
        if !sampling.grammarAfter.isEmpty { return GrammarProgress.Beginning(behind: sampling.grammarAfter) }
        guard sampling.hasThinking, sampling.thinking.isOpen else { return GrammarProgress.Beginning() }
        return GrammarProgress.Beginning(behind: [sampling.thinking.end], with: [sampling.thinking.calls])
    }

    /// How the ids become text.
    package func decodeOptions(row: Int, promptTail: ArraySlice<Int32>, idsOnly: Bool) -> DecodeOptions {
        .make {
            $0.row = UInt32(row)
            $0.skipSpecialTokens = sampling.skipSpecialTokens
            $0.noStopTrim = sampling.noStopTrim
            $0.stop = sampling.stop
            $0.logprobText = logprobs?.options.withText ?? false
            $0.idsOnly = idsOnly
            $0.promptTail = Array(promptTail)
        }
    }

    /// Ids of the thinking part so far; nil where nobody looks for one.
    package var thinkingCount: Int? { thinking?.count }

    /// What the search for stop patterns cost after the latest token, in steps; nil without patterns.
    package var patternCost: Int? { stop.patternCost }

    /// What the grammar will be asked for next, where that takes working out.
    package var foresight: MaskOrder? { grammar?.foresight }

    /// Chooses the token behind `tokens`, of which the first `promptCount` are the prompt. The row is changed.
    package mutating func choose(
        from row: UnsafeMutableBufferPointer<Float>, after tokens: [Int32], promptCount: Int,
        with sampler: inout Sampler,
        tokenizer: Tokenizer?
    ) -> Choice {
        penalties.apply(to: row)
        forbid(row, sampler.compute)
        var drawn = sampler.choose(row.baseAddress!, sampling, position: tokens.count - promptCount)
        if let id = forced(after: tokens[promptCount...], tokenizer), drawn.flaw != .notANumber {
            drawn = Sampler.Choice(token: id, inverseTemperature: drawn.inverseTemperature)
        }
        if drawn.flaw == .everythingForbidden {
            return Choice(token: nil, finish: .refused(grammar == nil ? Self.nothingLeft : Self.nothingAllowed))
        }
        if logprobs != nil {
            let scored = LogitRow(row, inverseTemperature: drawn.inverseTemperature, compute: sampler.compute)
            logprobs!.addOutput(scored, token: drawn.token)
        }
        guard maxNewTokens > 0 else { return Choice(token: nil, finish: .make { $0.length = 0 }) }
        // A row without numbers ends the request; the id stays one that every vocabulary has.
        let id = max(drawn.token, 0)
        return Choice(token: id, finish: take(drawn.token, after: tokens, promptCount: promptCount, tokenizer))
    }

    /// Adds the ids to those chosen behind `tokens` that the grammar makes come next: nothing has to be computed to know them. None
    /// where something is told of each row, or where the search for stop patterns could hold up the others.
    ///
    /// - Returns: Why the request is over with the last of them; nil while it goes on.
    package mutating func jump(
        _ chosen: inout [Int32], after tokens: [Int32], promptCount: Int, tokenizer: Tokenizer?
    ) -> FinishReason? {
        guard logprobs == nil, !stop.hasPatterns, jumpsForward, let run = grammar?.forced, !run.isEmpty else {
            return nil
        }
        var known = tokens + chosen
        for id in run {
            if penalties.forbids(id) { return nil }
            let finish = take(id, after: known, promptCount: promptCount, tokenizer)
            chosen.append(id)
            if finish != nil { return finish }
            known.append(id)
        }
        return nil
    }

    /// Notes an id behind `tokens`; why the request is over with it, nil while it goes on.
    private mutating func take(
        _ drawn: Int32, after tokens: [Int32], promptCount: Int, _ tokenizer: Tokenizer?
    ) -> FinishReason? {
        let id = max(drawn, 0)
        penalties.count(id)
        grammar?.advance(id)
        if let tokenizer { thinking?.follow(tokens[promptCount...], id, tokenizer) }
        let finish = stop.finish(tokens, promptCount: promptCount, drawn, tokenizer: tokenizer)
        return finish == nil && grammar?.isFinished ?? false ? .make { $0.grammarEnd = id } : finish
    }

    /// Ids that must come are not asked of the model. Who gives ids a bias cares for how a text is cut into them: that is left to the model.
    private var jumpsForward: Bool { sampling.logitBiasIds.isEmpty }

    /// The id that comes whatever the model says: the next of the text that the grammar leaves alone, or of the end of a thinking part
    /// which has used up its budget.
    private mutating func forced(after output: ArraySlice<Int32>, _ tokenizer: Tokenizer?) -> Int32? {
        if grammar?.hasBegun ?? false {
            guard jumpsForward, let id = grammar!.forced.first, !penalties.forbids(id) else { return nil }
            return id
        }
        guard let tokenizer, thinking != nil else { return nil }
        thinking!.follow(output, nil, tokenizer)
        return thinking!.forced(tokenizer)
    }

    /// Leaves the tokens that the grammar allows. A bias that was added before cannot bring another back, so that this is as if the
    /// mask had come first.
    private func forbid(_ row: UnsafeMutableBufferPointer<Float>, _ compute: Compute) {
        guard let grammar, let allowed = grammar.allowed else { return }
        // Only an id that ends the text is worth it where the text may end.
        let ends = grammar.mayEnd && !sampling.ignoreEos ? stop.ids.filter { row.indices.contains(Int($0)) } : []
        let kept = ends.map { row[Int($0)] }
        compute.mask(row.baseAddress!, size: row.count, allowed: allowed)
        for (id, value) in zip(ends, kept) { row[Int(id)] = value }
    }

    private static let nothingAllowed =
        "The grammar, with logit_bias and min_new_tokens, leaves no token that may come next."
    private static let nothingLeft = "logit_bias and min_new_tokens leave no token that may come next."
}

extension FinishReason {
    /// The end of a request that cannot go on through a fault of its own.
    static func refused(_ message: String) -> FinishReason {
        .make {
            $0.aborted = .make {
                $0.message = message
                $0.statusCode = 400
                $0.errorType = "BadRequestError"
            }
        }
    }
}
