internal import JSON

/// The `vocab.txt` of a BERT without tokenizer.json: a token a line, whose number is its id. Everything else is as BERT has it.
enum BertVocabulary {
    /// What the folder's tokenizer.json would be.
    static func tokenizerFile(
        _ bytes: [UInt8], _ stated: TokenizerFamily, _ source: VocabularySource
    ) throws(TokenizerError) -> TokenizerFile {
        let vocabulary = try vocabulary(bytes, file: source.file)
        let family = stated == .mpnet ? TokenizerFamily.mpnet : .bert
        let names = family.specialTokens
        let config = source.completed(with: names)
        for name in [config.unkToken, config.clsToken, config.sepToken] {
            guard vocabulary.id(of: (name ?? "").utf8) == nil else { continue }
            throw .malformed(file: source.file, path: "", reason: "token \"\(name ?? "")\" is missing")
        }
        var tokens = config.namedTokens.compactMap { name in
            vocabulary.id(of: name.utf8).map { AddedToken(content: Array(name.utf8), id: $0, isSpecial: true) }
        }
        if family == .mpnet {
            // The mask takes the space before it, as a word does.
            for index in tokens.indices where tokens[index].content.elementsEqual((config.maskToken ?? "").utf8) {
                tokens[index].stripsLeft = true
            }
        }
        let start = try source.id(of: config.clsToken, tokens, vocabulary)
        let end = try source.id(of: config.sepToken, tokens, vocabulary)
        let outline = VocabularyOutline(
            model: ["type": "WordPiece", "unk_token": .string(config.unkToken ?? "")],
            normalizer: Component.bertNormalizer(source.config.vocabulary),
            preTokenizer: ["type": "BertPreTokenizer"],
            decoder: ["type": "WordPiece", "prefix": "##", "cleanup": true],
            postProcessor: family == .mpnet
                ? Component.robertaTemplate(start, end) : Component.bertTemplate(start, end),
            addedTokens: tokens)
        return outline.tokenizerFile(
            source.file, tables: TokenizerTables(wordPieces: vocabulary), names: names)
    }

    private static func vocabulary(_ bytes: [UInt8], file: String) throws(TokenizerError) -> Vocabulary {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard lines.count <= Vocabulary.idLimit else {
            throw .malformed(file: file, path: "", reason: "more than \(Vocabulary.idLimit) tokens")
        }
        var vocabulary = Vocabulary(capacity: lines.count)
        for (id, line) in lines.enumerated() {
            let token = line.last == 0x0D ? line.dropLast() : line
            guard String(validating: token, as: UTF8.self) != nil else {
                throw .malformed(file: file, path: "line \(id + 1)", reason: "is not UTF-8")
            }
            if !token.isEmpty { vocabulary.insert(token, id: Int32(id)) }
        }
        return vocabulary
    }
}
