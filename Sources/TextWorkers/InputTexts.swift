package import Messages
package import Tokenizers

/// How the texts of requests for vectors and scores become ids: whole, or cut as the checkpoint's files and the operator say.
///
/// What a checkpoint was trained for (`max_seq_length` of `sentence_bert_config.json`) cuts a text that the model itself could take,
/// as sentence-transformers does. A text that is too long for the model is cut only where the operator allows it.
package struct InputTexts {
    private let tokenizer: Tokenizer
    private let rules: InputRules
    /// The files of sentence-transformers count.
    private let followsFiles: Bool
    /// How many of a text's first ids are the checkpoint's prompt.
    private let leading: Int

    /// The texts of a tokenizer's requests; without `followsFiles` they are taken as they are, as SGLang does.
    package init(_ tokenizer: Tokenizer, followsFiles: Bool) {
        (self.tokenizer, self.followsFiles) = (tokenizer, followsFiles)
        let rules = tokenizer.inputRules
        self.rules = rules
        guard followsFiles, !rules.prompt.isEmpty else {
            leading = 0
            return
        }
        let ids = tokenizer.encode(rules.prepared(rules.prompt), addSpecialTokens: true)
        // What ends a text stands behind the prompt only when it is alone.
        leading = ids.last.map { tokenizer.isSpecial($0) ? ids.count - 1 : ids.count } ?? 0
    }

    /// Puts ids, their types, and how many of them are the prompt into a request.
    ///
    /// - Parameters:
    ///   - model: nil while it is not known what the model is.
    ///   - allowTruncate: a text that is too long for the model is cut.
    /// - Throws: a refusal for one that cannot be cut so far.
    package func tokenize(
        _ first: String, _ second: String?, _ model: ModelFacts?, allowTruncate: Bool, into request: inout EmbedIDs
    ) throws(PromptChecks.Refusal) {
        let hasPrompt = second == nil && leading > 0
        let texts = (prepared(hasPrompt ? rules.prompt + first : first), second.map(prepared))
        var input = try encode(texts, limit: allowTruncate ? model?.longestText : nil, model)
        if let trained = followsFiles ? rules.trainedLength : nil, input.ids.count > trained,
            input.ids.count <= model.map({ Int($0.contextLength) }) ?? .max
        {
            input = try encode(texts, limit: trained, nil)
        }
        request.prompt = input.ids
        request.setTypes(input.types)
        if hasPrompt { request.leadingIds = UInt32(max(0, min(leading, input.ids.count - 1))) }
    }

    private func prepared(_ text: String) -> String { followsFiles ? rules.prepared(text) : text }

    /// The ids of a text or two, `limit` of them at most; of an encoder no more than its tokenizer's file says.
    private func encode(
        _ texts: (String, String?), limit: Int?, _ model: ModelFacts?
    ) throws(PromptChecks.Refusal) -> TokenizedInput {
        let stated = followsFiles && model?.task.bidirectional == true ? rules.longestInput : nil
        let truncation = limit.map { limit in
            Truncation(
                limit: min(limit, stated ?? limit),
                strategy: texts.1 == nil ? .longestFirst : rules.strategy, keepsEnd: rules.keepsEnd)
        }
        do throws(Truncation.TooShort) {
            return try tokenizer.encode(texts.0, texts.1, addSpecialTokens: true, truncation: truncation)
        } catch { throw PromptChecks.Refusal(message: "The text cannot be cut to \(truncation?.limit ?? 0) tokens.") }
    }
}

extension ModelFacts {
    /// To how many tokens a text is cut where that is allowed.
    var longestText: Int? {
        let limits = [Int(contextLength), Int(task.maxTokens)].filter { $0 > 0 }
        return limits.min()
    }
}
