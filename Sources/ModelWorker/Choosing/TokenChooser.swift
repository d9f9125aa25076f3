package import Messages
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
    /// Log probabilities that no frame has taken yet; nil when none are wanted.
    package var logprobs: LogprobCollector?

    /// The chooser of a request whose limit was cut to `maxNewTokens`, behind the ids of its earlier attempts.
    ///
    /// - Throws: When a stop pattern is no regular expression; the tokenizer manager has refused such requests before.
    package init(_ command: GenerateIDs, maxNewTokens: Int, endIDs: [Int32], vocabularySize: Int) throws {
        sampling = command.sampling
        self.maxNewTokens = maxNewTokens
        stop = try StopRules(
            command.sampling, maxNewTokens: maxNewTokens, endIDs: endIDs, vocabularySize: vocabularySize)
        penalties = Penalties(command.sampling, stopIDs: stop.ids, output: command.resumedIds)
        thinking =
            command.sampling.hasThinking
            ? ThinkingWatch(command.sampling.thinking, maxNewTokens: maxNewTokens) : nil
        logprobs = command.hasLogprobs ? LogprobCollector(command.logprobs) : nil
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

    /// Ids of the thinking part so far.
    package var thinkingCount: Int { thinking?.count ?? 0 }

    /// What the search for stop patterns cost after the latest token, in steps; nil without patterns.
    package var patternCost: Int? { stop.patternCost }

    /// Chooses the token behind `tokens`, of which the first `promptCount` are the prompt. The row is changed.
    package mutating func choose(
        from row: UnsafeMutableBufferPointer<Float>, after tokens: [Int32], promptCount: Int,
        with sampler: inout Sampler,
        tokenizer: Tokenizer?
    ) -> Choice {
        penalties.apply(to: row)
        var drawn = sampler.choose(row.baseAddress!, sampling, position: tokens.count - promptCount)
        if let id = forced(after: tokens[promptCount...], tokenizer), drawn.flaw != .notANumber {
            drawn = Sampler.Choice(token: id, inverseTemperature: drawn.inverseTemperature)
        }
        if drawn.flaw == .everythingForbidden { return Choice(token: nil, finish: .refused(Self.nothingLeft)) }
        if logprobs != nil {
            let scored = LogitRow(row, inverseTemperature: drawn.inverseTemperature, compute: sampler.compute)
            logprobs!.addOutput(scored, token: drawn.token)
        }
        guard maxNewTokens > 0 else { return Choice(token: nil, finish: .make { $0.length = 0 }) }
        // A row without numbers ends the request; the id stays one that every vocabulary has.
        let id = max(drawn.token, 0)
        penalties.count(id)
        if let tokenizer { thinking?.follow(tokens[promptCount...], id, tokenizer) }
        let finish = stop.finish(tokens, promptCount: promptCount, drawn.token, tokenizer: tokenizer)
        return Choice(token: id, finish: finish)
    }

    /// The id that ends a thinking part which has used up its budget.
    private mutating func forced(after output: ArraySlice<Int32>, _ tokenizer: Tokenizer?) -> Int32? {
        guard let tokenizer, thinking != nil else { return nil }
        thinking!.follow(output, nil, tokenizer)
        return thinking!.forced(tokenizer)
    }

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
