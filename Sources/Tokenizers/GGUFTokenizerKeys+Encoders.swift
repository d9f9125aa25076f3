internal import JSON

// Vocabularies of BERT: llama.cpp writes a mark of a space in front of what begins a word, where BERT marks what does not.
extension GGUFTokenizerKeys {
    private static let continuation = Array("##".utf8)

    private func isControl(_ id: Int) -> Bool {
        (tokenTypes.indices.contains(id) ? tokenTypes[id] : 0) == TokenType.control
            || [bos, eos, unknown, padding, classification, separator, mask].contains(id)
    }

    /// The tokens as BERT's own vocabulary has them.
    var wordPieces: Vocabulary {
        var vocabulary = Vocabulary(capacity: tokens.count)
        for (id, token) in tokens.enumerated() where !token.isEmpty {
            let bytes = Array(token.utf8)
            if isControl(id) {
                vocabulary.insert(bytes, id: Int32(id))
            } else if bytes.starts(with: GGUFOutline.mark) {
                vocabulary.insert(bytes.dropFirst(GGUFOutline.mark.count), id: Int32(id))
            } else {
                vocabulary.insert(Self.continuation + bytes, id: Int32(id))
            }
        }
        return vocabulary
    }

    func wordPieceOutline(_ outline: GGUFOutline) throws(TokenizerError) -> JSONValue {
        func named(_ id: Int?, _ key: String) throws(TokenizerError) -> (String, Int32) {
            guard let id, tokens.indices.contains(id) else { throw malformed(key, "is missing") }
            return (tokens[id], Int32(id))
        }
        let unknown = try named(unknown ?? 100, "unknown_token_id")
        var options = VocabularyOptions()
        // The file does not say so, but a vocabulary has no capitals or accents that normalization takes away.
        options.lowercases = !hasOrdinaryScalar { $0.isASCII && $0.properties.isUppercase }
        options.stripsAccents = options.lowercases == true ? !hasAccents : false
        return VocabularyOutline(
            model: ["type": "WordPiece", "unk_token": .string(unknown.0)],
            normalizer: Component.bertNormalizer(options), preTokenizer: ["type": "BertPreTokenizer"],
            decoder: ["type": "WordPiece", "prefix": "##", "cleanup": true],
            postProcessor: Component.bertTemplate(
                try named(classification ?? bos, "cls_token_id"),
                try named(separator ?? eos, "seperator_token_id")),
            addedTokens: outline.addedTokens
        ).json
    }

    private func hasOrdinaryScalar(_ holds: (Unicode.Scalar) -> Bool) -> Bool {
        tokens.indices.contains { id in
            // "[unused0]" and the like are no text.
            !isControl(id) && !tokens[id].hasSuffix("]") && tokens[id].unicodeScalars.contains(where: holds)
        }
    }

    private var hasAccents: Bool {
        tokens.indices.contains { id in
            guard !isControl(id), !tokens[id].utf8.allSatisfy({ $0 < 0x80 }) else { return false }
            var bytes = Array(tokens[id].utf8)
            UnicodeForm.nfd.apply(to: &bytes)
            return String(decoding: bytes, as: UTF8.self).unicodeScalars.contains {
                CharacterClass.isNonspacingMark($0.value)
            }
        }
    }
}

// Vocabularies of T5 and XLM-RoBERTa: tokens with their scores.
extension GGUFTokenizerKeys {
    func unigramTables() throws(TokenizerError) -> TokenizerTables {
        guard scores.count == tokens.count else {
            throw malformed("scores", "expected \(tokens.count) scores, got \(scores.count)")
        }
        return TokenizerTables(scored: zip(tokens, scores).map { (Array($0.utf8), Double($1)) })
    }

    func unigramOutline(_ outline: GGUFOutline) throws(TokenizerError) -> JSONValue {
        let unknownID = unknown ?? 2
        guard tokens.indices.contains(unknownID) else {
            throw malformed("unknown_token_id", "token id \(unknownID) is out of range 0..<\(tokens.count)")
        }
        guard characterMap.isEmpty || CharacterMap(characterMap) != nil else {
            throw malformed("precompiled_charsmap", "is no table of replacements")
        }
        let scheme: Metaspace.PrependScheme = outline.addsSpacePrefix ? .always : .never
        let marks = Component.metaspace(scheme, splits: true)
        var addedTokens = outline.addedTokens
        // The mask takes the space before it, as a word does.
        for index in addedTokens.indices where mask == Int(addedTokens[index].id) {
            addedTokens[index].stripsLeft = true
        }
        return VocabularyOutline(
            model: [
                "type": "Unigram", "unk_id": .int(Int64(unknownID)),
                "byte_fallback": .bool(tokenTypes.contains(TokenType.byte)),
            ],
            normalizer: characterMap.isEmpty
                ? .null : ["type": "Precompiled", "precompiled_charsmap": .string(Base64.text(of: characterMap))],
            preTokenizer: removesExtraSpaces ?? true
                ? Component.preTokenizers(["type": "WhitespaceSplit"], marks)
                : Component.metaspace(scheme, splits: false),
            decoder: marks, postProcessor: try frame(outline.config), addedTokens: addedTokens
        ).json
    }

    /// Two ends between texts where each begins with a token, as XLM-RoBERTa has it; one where it does not.
    private func frame(_ config: TokenizerConfig) throws(TokenizerError) -> JSONValue {
        func named(_ id: Int?, _ key: String) throws(TokenizerError) -> (String, Int32) {
            guard let id, tokens.indices.contains(id) else { throw malformed(key, "is missing") }
            return (tokens[id], Int32(id))
        }
        guard config.addsEOS == true else { return .null }
        let end = try named(eos ?? separator, "eos_token_id")
        guard config.addsBOS == true else { return Component.endedTemplate(end) }
        return Component.robertaTemplate(try named(bos ?? classification, "bos_token_id"), end)
    }
}
