internal import JSON

/// What a GGUF file says of its tokenizer besides the long lists.
struct GGUFOutline: Sendable {
    /// The tokenizers there are, by their names in `tokenizer.ggml.model`.
    enum Kind: String {
        case byteLevel = "gpt2"
        case sentencePiece = "llama"
        case wordPiece = "bert"
        case unigram = "t5"
    }

    /// The file, named in errors.
    var file: String
    var kind: Kind
    /// `tokenizer.ggml.pre`.
    var pre: String?
    var addsSpacePrefix: Bool
    var config: TokenizerConfig
    var addedTokens: [AddedToken]
    /// The kinds that a tokenizer.json describes as well: as it would, but for the lists.
    var described: JSONValue = .null

    /// What whoever starts a server should know: guesses that were made because the file does not say enough.
    var warnings: [String] {
        guard kind == .byteLevel, wordRule == nil else { return [] }
        let problem =
            switch pre ?? "" {
            case "": "tokenizer.ggml.pre is missing"
            case let name: "tokenizer.ggml.pre: the word rule \"\(name)\" is unknown"
            }
        return ["\(file): \(problem); words are split as GPT-2 does, which may not be how the model was trained"]
    }

    /// How the vocabulary is used, in one line.
    var summary: String {
        let rule = wordRule == nil ? "" : ", words split by the rule \(pre ?? "") (tokenizer.ggml.pre)"
        let start =
            switch kind {
            case .wordPiece: ", text framed by \(config.clsToken ?? "(none)") and \(config.sepToken ?? "(none)")"
            case _ where config.addsBOS == true: ", begin-of-text \(config.bosToken ?? "(none)")"
            default: ", no begin-of-text"
            }
        if kind == .wordPiece { return "tokenizer \(kind.rawValue) from \(file)\(start)" }
        let ends = ([config.eosToken].compactMap { $0 } + config.endTokens).joined(separator: " ")
        return "tokenizer \(kind.rawValue) from \(file)\(rule)\(start), ended by \(ends)"
    }

    /// What the name of the word rule says; nil for a name that is missing or unknown.
    private var wordRule: GGUFWordRule? { pre.flatMap(GGUFWordRule.init(named:)) }

    /// What SentencePiece writes for a space.
    static let mark = Array("\u{2581}".utf8)

    /// The whole tokenizer, following how transformers reads GGUF files.
    func parts(_ tables: TokenizerTables) throws(TokenizerError) -> TokenizerParts {
        switch kind {
        case .byteLevel: try byteLevelParts(tables)
        case .sentencePiece: sentencePieceParts(tables)
        case .wordPiece, .unigram: try TokenizerFile(described, file: file, tables: tables).parts()
        }
    }

    private func byteLevelParts(_ tables: TokenizerTables) throws(TokenizerError) -> TokenizerParts {
        let rule = wordRule ?? .fallback
        var options = BPE.Options()
        options.ignoresMerges = rule.ignoresMerges
        return TokenizerParts(
            normalizer: rule.normalizer,
            preTokenizer: try rule.preTokenizer(file: file),
            model: .bpe(BPE(vocabulary: tables.vocabulary, merges: tables.merges, options: options)),
            addedTokens: addedTokens,
            postProcessor: nil,
            decoder: .byteLevel)
    }

    private func sentencePieceParts(_ tables: TokenizerTables) -> TokenizerParts {
        var options = BPE.Options()
        options.fusesUnknown = true
        options.fallsBackToBytes = true
        var steps: [TokenDecoder] = [.replace(.literal(Self.mark), with: [0x20]), .byteFallback, .fuse]
        if addsSpacePrefix { steps.append(.strip(" ", start: 1, stop: 0)) }
        return TokenizerParts(
            normalizer: nil,
            preTokenizer: .metaspace(
                Metaspace(
                    replacement: "\u{2581}", prependScheme: addsSpacePrefix ? .first : .never, splits: false)),
            model: .bpe(BPE(vocabulary: tables.vocabulary, merges: tables.merges, options: options)),
            addedTokens: addedTokens,
            postProcessor: nil,
            decoder: .sequence(steps))
    }
}

// As JSON, for processes of the same version.
extension GGUFOutline {
    var json: JSONValue {
        [
            "file": .string(file), "model": .string(kind.rawValue), "pre": Self.text(pre),
            "space_prefix": .bool(addsSpacePrefix), "bos": Self.text(config.bosToken),
            "eos": Self.text(config.eosToken),
            "unk": Self.text(config.unkToken), "pad": Self.text(config.padToken),
            "cls": Self.text(config.clsToken), "sep": Self.text(config.sepToken), "mask": Self.text(config.maskToken),
            "described": described,
            "adds_bos": .bool(config.addsBOS ?? false), "adds_eos": .bool(config.addsEOS ?? false),
            "ends": .array(config.endTokens.map { .string($0) }),
            "template": Self.text(config.chatTemplates["default"]),
            "added": .array(
                addedTokens.map {
                    [
                        .string(String(decoding: $0.content, as: UTF8.self)), .int(Int64($0.id)), .bool($0.isSpecial),
                    ]
                }),
        ]
    }

    /// Reads what `json` wrote; nil for anything else.
    init?(_ json: JSONValue) {
        guard let file = json["file"]?.stringValue, let kind = json["model"]?.stringValue.flatMap(Kind.init),
            let addsSpacePrefix = json["space_prefix"]?.boolValue, let added = json["added"]?.arrayValue
        else { return nil }
        self.file = file
        self.kind = kind
        pre = json["pre"]?.stringValue
        self.addsSpacePrefix = addsSpacePrefix
        config = TokenizerConfig()
        config.bosToken = json["bos"]?.stringValue
        config.eosToken = json["eos"]?.stringValue
        config.unkToken = json["unk"]?.stringValue
        config.padToken = json["pad"]?.stringValue
        config.clsToken = json["cls"]?.stringValue
        config.sepToken = json["sep"]?.stringValue
        config.maskToken = json["mask"]?.stringValue
        described = json["described"] ?? .null
        config.addsBOS = json["adds_bos"]?.boolValue
        config.addsEOS = json["adds_eos"]?.boolValue
        config.endTokens = json["ends"]?.arrayValue?.compactMap(\.stringValue) ?? []
        if let template = json["template"]?.stringValue { config.chatTemplates["default"] = template }
        addedTokens = added.compactMap { entry in
            guard let list = entry.arrayValue, list.count == 3, let content = list[0].stringValue,
                let id = list[1].intValue.flatMap({ Int32(exactly: $0) }), let isSpecial = list[2].boolValue
            else { return nil }
            return AddedToken(content: Array(content.utf8), id: id, isSpecial: isSpecial)
        }
    }

    private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}
