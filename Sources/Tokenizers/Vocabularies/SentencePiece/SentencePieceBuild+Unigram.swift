internal import JSON

// Families that choose the likeliest pieces.
extension SentencePieceBuild {
    /// A token and its score.
    private typealias Scored = ([UInt8], Double)

    private var pieces: [Scored] { model.pieces.map { ($0.text, Double($0.score)) } }

    private static func named(_ name: String?, _ score: Double = 0) -> Scored { (Array((name ?? "").utf8), score) }

    /// As `XLMRobertaTokenizer` has it: four tokens of its own in front, the mask behind.
    func xlmRoberta() throws(TokenizerError) -> Result {
        let front = [config.bosToken, config.padToken, config.eosToken, config.unkToken].map { Self.named($0) }
        return try words(
            TokenizerTables(scored: front + pieces.dropFirst(3) + [Self.named(config.maskToken)]), unknownID: 3)
    }

    /// As `CamembertTokenizer` has it.
    func camembert() throws(TokenizerError) -> Result {
        let front = [
            Self.named("<s>NOTUSED"), Self.named(config.padToken), Self.named("</s>NOTUSED"),
            Self.named(config.unkToken), Self.named("<unk>NOTUSED", -100),
        ]
        let list = front + pieces.dropFirst() + [Self.named(config.maskToken)]
        let unknownID = list.firstIndex { $0.0.elementsEqual((config.unkToken ?? "").utf8) } ?? 0
        var (outline, tables) = try words(
            TokenizerTables(scored: list), unknownID: unknownID,
            ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"])
        for index in outline.addedTokens.indices
        where outline.addedTokens[index].content.elementsEqual((config.maskToken ?? "").utf8) {
            outline.addedTokens[index].stripsLeft = true
        }
        return (outline, tables)
    }

    /// White space parts words, each of which begins with a mark; the frame is XLM-RoBERTa's.
    private func words(
        _ tables: TokenizerTables, unknownID: Int, _ extra: [String] = []
    ) throws(TokenizerError) -> Result {
        let tokens = addedTokens(tables.vocabulary, extra)
        let scheme: Metaspace.PrependScheme = source.config.vocabulary.addsPrefixSpace ?? true ? .always : .never
        return (
            VocabularyOutline(
                model: Self.unigram(unknownID), normalizer: characterMap ?? .null,
                preTokenizer: Component.preTokenizers(
                    ["type": "WhitespaceSplit"], Component.metaspace(scheme, splits: true)),
                decoder: Component.metaspace(scheme, splits: true),
                postProcessor: Component.robertaTemplate(
                    try source.id(of: config.bosToken, tokens, tables.vocabulary),
                    try source.id(of: config.eosToken, tokens, tables.vocabulary)),
                addedTokens: tokens), tables
        )
    }

    /// As `T5Tokenizer` has it: sentinels behind the pieces, an end behind each text.
    func t5() throws(TokenizerError) -> Result {
        let count = min(max(0, source.config.vocabulary.extraIDs ?? 100), 10_000)
        let sentinels = (0..<count).reversed().map { "<extra_id_\($0)>" }
        let tables = TokenizerTables(scored: pieces + sentinels.map { Self.named($0) })
        let tokens = addedTokens(tables.vocabulary, sentinels)
        return (
            VocabularyOutline(
                model: Self.unigram(min(2, tables.scores.count - 1)), normalizer: characterMap ?? .null,
                preTokenizer: Component.preTokenizers(
                    ["type": "WhitespaceSplit"], Component.metaspace(.always, splits: true)),
                decoder: Component.metaspace(.always, splits: true),
                postProcessor: Component.endedTemplate(
                    try source.id(of: config.eosToken, tokens, tables.vocabulary)),
                addedTokens: tokens), tables
        )
    }

    /// As `AlbertTokenizer` has it.
    func albert() throws(TokenizerError) -> Result {
        let options = source.config.vocabulary
        let tables = TokenizerTables(scored: pieces)
        let tokens = addedTokens(tables.vocabulary)
        var steps = [Component.replace("``", with: "\""), Component.replace("''", with: "\"")]
        if !(options.keepsAccents ?? false) { steps += [["type": "NFKD"], ["type": "StripAccents"]] }
        if options.lowercases ?? true { steps.append(["type": "Lowercase"]) }
        if let characterMap { steps.append(characterMap) }
        let scheme: Metaspace.PrependScheme = options.addsPrefixSpace ?? true ? .always : .never
        return (
            VocabularyOutline(
                model: Self.unigram(min(1, tables.scores.count - 1)), normalizer: Component.normalizers(steps),
                preTokenizer: Component.preTokenizers(
                    ["type": "WhitespaceSplit"], Component.metaspace(scheme, splits: true)),
                decoder: Component.metaspace(scheme, splits: true),
                postProcessor: Component.bertTemplate(
                    try source.id(of: config.clsToken, tokens, tables.vocabulary),
                    try source.id(of: config.sepToken, tokens, tables.vocabulary)),
                addedTokens: tokens), tables
        )
    }

    /// As `DebertaV2Tokenizer` has it; the model's own replacements are not used.
    func debertaV2() throws(TokenizerError) -> Result {
        let options = source.config.vocabulary
        let tables = TokenizerTables(scored: pieces)
        let tokens = addedTokens(tables.vocabulary)
        var steps: [JSONValue] = options.lowercases ?? false ? [["type": "Lowercase"]] : []
        steps += [
            Component.replace(expression: #"\s{2,}|[\n\r\t]"#, with: " "), ["type": "NFC"],
            ["type": "Strip", "strip_left": false, "strip_right": true],
        ]
        let scheme: Metaspace.PrependScheme = options.addsPrefixSpace ?? true ? .always : .first
        let marks = Component.metaspace(scheme, splits: true)
        // A special unknown token has the score 0.
        let unknown = config.unkToken ?? ""
        let unknownID = tables.scores.indices.first {
            tables.scores[$0] == 0 && tables.vocabulary.id(of: unknown.utf8) == Int32($0)
        }
        return (
            VocabularyOutline(
                model: Self.unigram(unknownID ?? model.unknownID), normalizer: Component.normalizers(steps),
                preTokenizer: options.splitsPunctuation ?? false
                    ? Component.preTokenizers(["type": "Punctuation", "behavior": "Isolated"], marks)
                    : Component.preTokenizers(marks),
                decoder: marks,
                postProcessor: Component.bertTemplate(
                    try source.id(of: config.clsToken, tokens, tables.vocabulary),
                    try source.id(of: config.sepToken, tokens, tables.vocabulary)),
                addedTokens: tokens), tables
        )
    }

    private static func unigram(_ unknownID: Int) -> JSONObject {
        ["type": "Unigram", "unk_id": .int(Int64(unknownID)), "byte_fallback": false]
    }
}
