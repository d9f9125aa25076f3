package import Messages

/// What can be wrong with a prompt once its tokens are known. The texts are SGLang's; clients match them.
package enum PromptChecks {
    /// A request that cannot run.
    package struct Refusal: Error, Equatable {
        package let message: String
    }

    /// Checks a tokenized request against the model, cutting it to the context when that is allowed.
    ///
    /// `context` and `vocabulary` are the model's; nil while the worker has not said what they are (it checks again itself).
    package static func check(
        _ request: inout GenerateIDs, context: Int?, vocabulary: Int?, allowTruncate: Bool
    ) throws(Refusal) {
        if request.prompt.isEmpty { throw Refusal(message: "The prompt is empty: it has no tokens.") }
        if let vocabulary { try checkIDs(request, vocabulary) }
        if let context { try checkLength(&request, context, allowTruncate) }
        guard request.hasLogprobs, request.logprobs.start > request.prompt.count else { return }
        throw Refusal(
            message: "req.logprob_start_len=\(request.logprobs.start) is higher than the number of input tokens "
                + "len(req.origin_input_ids)=\(request.prompt.count). Please use a smaller logprob_start_len.")
    }

    /// Checks a tokenized request for a vector against the model; nil while the worker has not said what it is.
    package static func check(_ request: EmbedIDs, _ model: ModelFacts?) throws(Refusal) {
        if request.prompt.isEmpty { throw Refusal(message: "The prompt is empty: it has no tokens.") }
        guard let model else { return }
        try checkIDs(request.prompt, Int(model.vocabularySize))
        // Nothing is generated behind it, so a text may fill the context.
        let (count, context) = (request.prompt.count, Int(model.contextLength))
        guard count > context else { return }
        throw Refusal(
            message: "The input (\(count) tokens) is longer than the model's context length (\(context) tokens).")
    }

    private static func checkIDs(_ prompt: [Int32], _ vocabulary: Int) throws(Refusal) {
        for id in prompt where id < 0 || Int(id) >= vocabulary {
            throw Refusal(
                message: "input_ids contains out-of-vocabulary token id \(id); valid range is [0, \(vocabulary)).")
        }
    }

    private static func checkIDs(_ request: GenerateIDs, _ vocabulary: Int) throws(Refusal) {
        try checkIDs(request.prompt, vocabulary)
        for id in request.logprobs.tokenIds.ids where id < 0 || Int(id) >= vocabulary {
            throw Refusal(
                message:
                    "token_ids_logprob contains out-of-vocabulary token id \(id); valid range is [0, \(vocabulary)).")
        }
        for id in request.sampling.logitBiasIds where id < 0 || Int(id) >= vocabulary {
            throw Refusal(message: "logit_bias must has keys in [0, \(vocabulary - 1)], got \(id).")
        }
    }

    private static func checkLength(_ request: inout GenerateIDs, _ context: Int, _ allowTruncate: Bool) throws(Refusal)
    {
        let count = request.prompt.count
        if count >= context {
            guard allowTruncate else {
                throw Refusal(
                    message:
                        "The input (\(count) tokens) is longer than the model's context length (\(context) tokens).")
            }
            request.prompt.removeLast(count - (context - 1))
        }
        let asked = Int(request.sampling.maxNewTokens)
        guard asked >= 0, request.prompt.count + asked > context else { return }
        guard allowTruncate else {
            let total = count + asked
            throw Refusal(
                message: """
                    Requested token count exceeds the model's maximum context length of \(context) tokens. You requested a total \
                    of \(total) tokens: \(count) tokens from the input messages and \(asked) tokens for the completion. Please \
                    reduce the number of tokens in the input messages or the completion to fit within the limit.
                    """)
        }
        request.sampling.maxNewTokens = Int32(context - request.prompt.count)
        request.sampling.minNewTokens = min(request.sampling.minNewTokens, request.sampling.maxNewTokens)
    }
}
