internal import JSON

// A model as the tokenizer that transformers makes of it.
extension SentencePieceModel {
    /// What the folder's tokenizer.json would be.
    func tokenizerFile(
        _ family: TokenizerFamily, _ source: VocabularySource
    ) throws(TokenizerError) -> TokenizerFile {
        let names = names(family)
        let config = source.completed(with: names)
        let build = SentencePieceBuild(model: self, config: config, source: source)
        let (outline, tables) =
            switch family {
            case .llama: try build.llama()
            case .gemma: try build.gemma()
            case .xlmRoberta: try build.xlmRoberta()
            case .camembert: try build.camembert()
            case .t5: try build.t5()
            case .albert: try build.albert()
            case .debertaV2: try build.debertaV2()
            default: try build.plain()
            }
        return outline.tokenizerFile(source.file, tables: tables, names: names)
    }

    private func names(_ family: TokenizerFamily) -> [String: String] {
        let fixed = family.specialTokens
        if !fixed.isEmpty { return fixed }
        return ["unk_token": unknown, "bos_token": start, "eos_token": end].compactMapValues { $0 }
    }
}

/// Puts together how a model is used by each family of tokenizers.
struct SentencePieceBuild {
    let model: SentencePieceModel
    /// The configuration with the family's names of special tokens.
    let config: TokenizerConfig
    let source: VocabularySource

    /// What a family makes of a model.
    typealias Result = (VocabularyOutline, TokenizerTables)

    /// Tokens that are found in text, beyond those that the configuration names.
    func addedTokens(
        _ vocabulary: Vocabulary, withUserDefined: Bool = true, _ extra: [String] = []
    ) -> [AddedToken] {
        var tokens: [AddedToken] = []
        let named = Set(config.namedTokens.map { Array($0.utf8) })
        // Where the configuration lists special tokens, the model's own are text.
        let pieces = config.extraSpecialTokens.isEmpty ? model.pieces : []
        for piece in pieces where !piece.text.isEmpty {
            guard piece.kind == .control || piece.kind == .userDefined && withUserDefined,
                let id = vocabulary.id(of: piece.text)
            else { continue }
            // What has a purpose is special, even if the model calls it text.
            let isSpecial = piece.kind == .control || named.contains(piece.text)
            tokens.append(AddedToken(content: piece.text, id: id, isSpecial: isSpecial))
        }
        for name in extra {
            if let id = vocabulary.id(of: name.utf8) {
                tokens.append(AddedToken(content: Array(name.utf8), id: id, isSpecial: true))
            }
        }
        return Tokenizer.completing(tokens, vocabulary, config)
    }

    /// The table of replacements as a normalizer, if there is one.
    var characterMap: JSONValue? {
        if model.characterMap.isEmpty { return nil }
        return ["type": "Precompiled", "precompiled_charsmap": .string(Base64.text(of: model.characterMap))]
    }

    /// Replaces the mark of spaces, joins bytes; drops the space in front of the text where there is one.
    func decoder(dropsFirstSpace: Bool) -> JSONValue {
        var steps: [JSONValue] = [
            Component.replace("\u{2581}", with: " "), ["type": "ByteFallback"], ["type": "Fuse"],
        ]
        if dropsFirstSpace { steps.append(["type": "Strip", "content": " ", "start": 1, "stop": 0]) }
        return Component.decoders(steps)
    }
}
