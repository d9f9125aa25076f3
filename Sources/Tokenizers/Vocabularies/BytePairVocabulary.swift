internal import JSON

/// A `vocab.json` and its `merges.txt`: byte-level byte-pair encoding as GPT-2 has it, or a family that split words otherwise.
enum BytePairVocabulary {
    /// What the folder's tokenizer.json would be.
    static func tokenizerFile(
        _ bytes: [UInt8], _ stated: TokenizerFamily, _ source: VocabularySource
    ) throws(TokenizerError) -> TokenizerFile {
        let family: TokenizerFamily =
            switch stated {
            case .roberta, .qwen2, .gptNeoX, .cohere: stated
            default: .gpt2
            }
        let vocabulary = try vocabulary(bytes, file: source.file)
        let list = try source.companion("merges.txt")
        let tables = TokenizerTables(
            vocabulary: vocabulary, merges: try merges(list.bytes, vocabulary, file: list.file))
        let names = family.specialTokens
        let config = source.completed(with: names)
        let tokens = Tokenizer.completing([], vocabulary, config)
        var outline = VocabularyOutline(
            model: ["type": "BPE"], decoder: ["type": "ByteLevel"], addedTokens: tokens)
        let addsPrefix = source.config.vocabulary.addsPrefixSpace ?? false
        let whole = Component.byteLevel(addsPrefixSpace: addsPrefix, splits: true)
        switch family {
        case .qwen2:
            outline.normalizer = ["type": "NFC"]
            outline.preTokenizer = Component.preTokenizers(
                Component.split(expression: GGUFWordRule.qwen2),
                Component.byteLevel(addsPrefixSpace: addsPrefix, splits: false))
        case .gptNeoX:
            outline.normalizer = ["type": "NFC"]
            outline.preTokenizer = whole
        case .cohere:
            outline.normalizer = ["type": "NFC"]
            outline.preTokenizer = Component.preTokenizers(["type": "Digits", "individual_digits": true], whole)
        case .roberta:
            outline.preTokenizer = whole
            outline.postProcessor = Component.robertaTemplate(
                try source.id(of: config.clsToken, tokens, vocabulary),
                try source.id(of: config.sepToken, tokens, vocabulary))
        default: outline.preTokenizer = whole
        }
        return outline.tokenizerFile(source.file, tables: tables, names: names)
    }

    private static func vocabulary(_ bytes: [UInt8], file: String) throws(TokenizerError) -> Vocabulary {
        let root = try TokenizerCursor(parsing: bytes, file: file)
        return try TokenizerFile.vocabulary(root)
    }

    /// A merge a line; the file may begin with a line about its version.
    private static func merges(
        _ bytes: [UInt8], _ vocabulary: Vocabulary, file: String
    ) throws(TokenizerError) -> MergeTable {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        while let last = lines.last, last.isEmpty || last.elementsEqual([0x0D]) { lines.removeLast() }
        var builder = MergeTableBuilder(vocabulary: vocabulary, capacity: lines.count)
        for (index, line) in lines.enumerated() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.starts(with: "#version".utf8) { continue }
            guard let text = String(validating: line, as: UTF8.self) else {
                throw .malformed(file: file, path: "line \(index + 1)", reason: "is not UTF-8")
            }
            if let problem = builder.append(text) {
                throw .malformed(file: file, path: "line \(index + 1)", reason: problem)
            }
        }
        return builder.table
    }
}
