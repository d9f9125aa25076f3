internal import JSON

/// The `vocab.txt` of a BERT without tokenizer.json: a token a line, whose number is its id. Everything else is as BERT has it.
enum BertVocabulary {
    /// What the folder's tokenizer.json would be.
    static func tokenizerFile(
        _ bytes: [UInt8], file: String, config: TokenizerConfig
    ) throws(TokenizerError) -> TokenizerFile {
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
        let names = Names(config)
        for name in [names.unknown, names.start, names.end] where vocabulary.id(of: name.utf8) == nil {
            throw .malformed(file: file, path: "", reason: "token \"\(name)\" is missing")
        }
        return TokenizerFile(
            outline(names, vocabulary, config), file: file, tables: TokenizerTables(vocabulary: vocabulary))
    }

    /// BERT's special tokens, under other names where the configuration has some.
    private struct Names {
        let unknown: String
        let start: String
        let end: String
        let others: [String]

        init(_ config: TokenizerConfig) {
            unknown = config.unkToken ?? "[UNK]"
            start = config.clsToken ?? "[CLS]"
            end = config.sepToken ?? "[SEP]"
            others = [config.padToken ?? "[PAD]", "[MASK]"]
        }
    }

    private static func outline(_ names: Names, _ vocabulary: Vocabulary, _ config: TokenizerConfig) -> JSONValue {
        let special = [names.unknown, names.start, names.end] + names.others
        let added: [JSONValue] = special.compactMap { name in
            vocabulary.id(of: name.utf8).map { ["id": .int(Int64($0)), "content": .string(name), "special": true] }
        }
        func piece(_ kind: String, _ id: String, _ type: Int64) -> JSONValue {
            .object([kind: ["id": .string(id), "type_id": .int(type)]])
        }
        func entry(_ name: String) -> JSONValue {
            ["ids": [.int(Int64(vocabulary.id(of: name.utf8) ?? 0))]]
        }
        let single = [
            piece("SpecialToken", names.start, 0), piece("Sequence", "A", 0), piece("SpecialToken", names.end, 0),
        ]
        let pair = single + [piece("Sequence", "B", 1), piece("SpecialToken", names.end, 1)]
        return [
            "added_tokens": .array(added),
            "normalizer": [
                "type": "BertNormalizer", "clean_text": true, "lowercase": .bool(config.lowercases ?? true),
                "handle_chinese_chars": .bool(config.isolatesIdeographs ?? true),
                "strip_accents": config.stripsAccents.map { .bool($0) } ?? .null,
            ],
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "post_processor": [
                "type": "TemplateProcessing", "single": .array(single), "pair": .array(pair),
                "special_tokens": .object([names.start: entry(names.start), names.end: entry(names.end)]),
            ],
            "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
            "model": ["type": "WordPiece", "unk_token": .string(names.unknown), "vocab": [:]],
        ]
    }
}
