/// What a GGUF file says of its tokenizer (`tokenizer.ggml.*`), as plain values.
package struct GGUFTokenizerKeys: Sendable {
    /// `tokenizer.ggml.tokens`: the token of each id.
    package var tokens: [String]
    /// `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte; empty if missing.
    package var tokenTypes: [Int32]
    /// `tokenizer.ggml.merges`: "left right" in the order of ranks; empty if missing.
    package var merges: [String]
    /// `tokenizer.ggml.scores`; empty if missing.
    package var scores: [Float]
    /// `tokenizer.ggml.model`: "gpt2", "llama", "bert" or "t5".
    package var model: String
    /// `tokenizer.ggml.pre`: which expression splits words.
    package var pre: String?
    /// `general.architecture`.
    package var architecture: String?
    package var bos: Int?
    package var eos: Int?
    /// `tokenizer.ggml.eot_token_id`: the end of a turn.
    package var endOfTurn: Int?
    package var unknown: Int?
    package var padding: Int?
    /// `tokenizer.ggml.cls_token_id`, `seperator_token_id` and `mask_token_id`.
    package var classification: Int?
    package var separator: Int?
    package var mask: Int?
    /// `tokenizer.ggml.add_bos_token`, `add_eos_token`, `add_space_prefix`; nil if missing.
    package var addBOS: Bool?
    package var addEOS: Bool?
    package var addSpacePrefix: Bool?
    /// `tokenizer.ggml.remove_extra_whitespaces`; nil if missing.
    package var removesExtraSpaces: Bool?
    /// `tokenizer.ggml.precompiled_charsmap`; empty if missing.
    package var characterMap: [UInt8] = []
    /// `tokenizer.chat_template`.
    package var chatTemplate: String?
    /// The file, named in errors.
    package var file: String

    package init(
        tokens: [String], tokenTypes: [Int32] = [], merges: [String] = [], scores: [Float] = [], model: String,
        pre: String? = nil, architecture: String? = nil, bos: Int? = nil, eos: Int? = nil,
        endOfTurn: Int? = nil, unknown: Int? = nil, padding: Int? = nil, addBOS: Bool? = nil, addEOS: Bool? = nil,
        addSpacePrefix: Bool? = nil,
        chatTemplate: String? = nil, file: String = "GGUF"
    ) {
        self.tokens = tokens
        self.tokenTypes = tokenTypes
        self.merges = merges
        self.scores = scores
        self.model = model
        self.pre = pre
        self.architecture = architecture
        self.bos = bos
        self.eos = eos
        self.endOfTurn = endOfTurn
        self.unknown = unknown
        self.padding = padding
        self.addBOS = addBOS
        self.addEOS = addEOS
        self.addSpacePrefix = addSpacePrefix
        self.chatTemplate = chatTemplate
        self.file = file
    }
}

extension GGUFTokenizerKeys {
    enum TokenType {
        static let unknown: Int32 = 2
        static let control: Int32 = 3
        static let userDefined: Int32 = 4
        static let byte: Int32 = 6
    }

    /// Everything but the tables; what is wrong with the file as a whole shows here.
    func outline() throws(TokenizerError) -> GGUFOutline {
        if tokens.isEmpty { throw malformed("tokens", "no tokens") }
        if tokens.count > Vocabulary.idLimit { throw malformed("tokens", "more than \(Vocabulary.idLimit) tokens") }
        let config = try config()
        guard let kind = GGUFOutline.Kind(rawValue: model) else {
            throw .unsupported(file: file, path: "tokenizer.ggml.model", feature: "tokenizer \"\(model)\"")
        }
        var outline = GGUFOutline(
            file: file, kind: kind, pre: pre, addsSpacePrefix: addSpacePrefix ?? true, config: config,
            // A control token outside of the byte alphabet that does not look like one is mislabelled text.
            addedTokens: addedTokens {
                kind != .byteLevel || Self.isSpelling($0) || ($0.hasPrefix("<") && $0.hasSuffix(">"))
            })
        switch kind {
        case .wordPiece: outline.described = try wordPieceOutline(outline)
        case .unigram: outline.described = try unigramOutline(outline)
        case .byteLevel, .sentencePiece: break
        }
        return outline
    }

    /// The tables, following how transformers reads GGUF files.
    func tables(_ kind: GGUFOutline.Kind) throws(TokenizerError) -> TokenizerTables {
        switch kind {
        case .byteLevel: try byteLevelTables()
        case .sentencePiece: try sentencePieceTables()
        case .wordPiece: TokenizerTables(wordPieces: wordPieces)
        case .unigram: try unigramTables()
        }
    }

    func malformed(_ key: String, _ reason: String) -> TokenizerError {
        .malformed(file: file, path: "tokenizer.ggml.\(key)", reason: reason)
    }

    private func config() throws(TokenizerError) -> TokenizerConfig {
        var config = TokenizerConfig()
        config.bosToken = try token(bos, "bos_token_id") ?? implied(1)
        config.eosToken = try token(eos, "eos_token_id") ?? implied(2)
        config.unkToken = try token(unknown, "unknown_token_id") ?? implied(0)
        config.padToken = try token(padding, "padding_token_id")
        // BERT's text begins with what the file calls its class or, in later ones, its beginning.
        config.clsToken = try token(classification ?? (model == "bert" ? bos : nil), "cls_token_id")
        config.sepToken = try token(separator, "seperator_token_id")
        config.maskToken = try token(mask, "mask_token_id")
        config.addsBOS = addBOS ?? addsBOSByRule
        config.addsEOS = addEOS ?? (model == GGUFOutline.Kind.unigram.rawValue)
        let turn = try token(endOfTurn, "eot_token_id")
        config.endTokens = (turn.map { [$0] } ?? []) + GGUFEndTokens.spelled(in: tokens)
        if let chatTemplate { config.chatTemplates["default"] = chatTemplate }
        return config
    }

    /// What llama.cpp derives from the kind of the vocabulary or the name of its word rule.
    private var addsBOSByRule: Bool {
        model == GGUFOutline.Kind.sentencePiece.rawValue || pre.flatMap(GGUFWordRule.init(named:))?.addsBOS ?? false
    }

    /// The token that stands at a fixed place of every SentencePiece vocabulary, for files that do not name it.
    private func implied(_ id: Int) -> String? {
        guard model == GGUFOutline.Kind.sentencePiece.rawValue, tokenTypes.indices.contains(id),
            [TokenType.unknown, TokenType.control].contains(tokenTypes[id])
        else { return nil }
        return tokens[id]
    }

    private func token(_ id: Int?, _ key: String) throws(TokenizerError) -> String? {
        guard let id else { return nil }
        guard tokens.indices.contains(id) else {
            throw malformed(key, "token id \(id) is out of range 0..<\(tokens.count)")
        }
        return tokens[id]
    }

    /// Control tokens are special; user-defined ones are found in the text as well. What ends an answer is a control token, even
    /// if its type says otherwise.
    private func addedTokens(_ isPlausible: (String) -> Bool) -> [AddedToken] {
        let named = Set([bos, eos, endOfTurn, unknown, padding, classification, separator, mask].compactMap { $0 })
        let ends = Set(GGUFEndTokens.spelled(in: tokens).map { Array($0.utf8) })
        return tokens.indices.compactMap { id in
            let token = tokens[id]
            let type = tokenTypes.indices.contains(id) ? tokenTypes[id] : 0
            let isControl =
                type == TokenType.control && (named.contains(id) || isPlausible(token))
                || ends.contains(Array(token.utf8))
            guard isControl || type == TokenType.userDefined, !token.isEmpty else { return nil }
            return AddedToken(content: Array(token.utf8), id: Int32(id), isSpecial: isControl)
        }
    }
}

// Byte-level vocabularies.
extension GGUFTokenizerKeys {
    private func byteLevelTables() throws(TokenizerError) -> TokenizerTables {
        if merges.isEmpty { throw malformed("merges", "a byte-level vocabulary needs its merges") }
        var vocabulary = Vocabulary(capacity: tokens.count)
        for (id, token) in tokens.enumerated() {
            let bytes = Array(token.utf8)
            vocabulary.insert(Self.isSpelling(token) ? bytes : ByteAlphabet.spelled(bytes), id: Int32(id))
        }
        return TokenizerTables(vocabulary: vocabulary, merges: try listedMerges(vocabulary))
    }

    private func listedMerges(_ vocabulary: Vocabulary) throws(TokenizerError) -> MergeTable {
        var builder = MergeTableBuilder(vocabulary: vocabulary, capacity: merges.count)
        for (index, merge) in merges.enumerated() {
            if let problem = builder.append(merge) { throw malformed("merges[\(index)]", problem) }
        }
        return builder.table
    }

    /// Whether a token is written in the byte alphabet throughout.
    private static func isSpelling(_ token: String) -> Bool {
        token.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0x143: true
            default: false
            }
        }
    }
}

// SentencePiece vocabularies, as byte-pair encoding with the merges that the scores imply.
extension GGUFTokenizerKeys {
    private func sentencePieceTables() throws(TokenizerError) -> TokenizerTables {
        var vocabulary = Vocabulary(capacity: tokens.count)
        var spelled: [[UInt8]] = []
        spelled.reserveCapacity(tokens.count)
        for (id, token) in tokens.enumerated() {
            // Runs of spaces are stored as spaces but looked up in their visible form.
            let isBlank = token.utf8.count > 1 && token.utf8.allSatisfy { $0 == 0x20 }
            let bytes =
                isBlank
                ? Array(repeatElement(GGUFOutline.mark, count: token.utf8.count).joined()) : Array(token.utf8)
            vocabulary.insert(bytes, id: Int32(id))
            spelled.append(bytes)
        }
        return TokenizerTables(vocabulary: vocabulary, merges: try scoredMerges(vocabulary, spelled))
    }

    /// The merges of the file, or each way to put a token together from two others, best score first.
    private func scoredMerges(_ vocabulary: Vocabulary, _ spelled: [[UInt8]]) throws(TokenizerError) -> MergeTable {
        if !merges.isEmpty { return try listedMerges(vocabulary) }
        // Gemma's scores do not follow its merges; the order of its tokens does.
        let followsOrder = architecture?.hasPrefix("gemma") ?? false
        if !followsOrder, scores.count != tokens.count {
            throw malformed("scores", "expected \(tokens.count) scores, got \(scores.count)")
        }
        var found: [ScoredMerge] = []
        for (id, token) in spelled.enumerated() {
            let score = followsOrder ? -Float(id) : scores[id]
            found.append(contentsOf: Self.waysToMerge(token, into: Int32(id), score, vocabulary))
        }
        // The sort must be stable, and NaN must not upset it.
        let order = found.indices.sorted { found[$0].isBefore(found[$1]) ?? ($0 < $1) }
        var table = MergeTable(capacity: found.count)
        for (rank, index) in order.enumerated() {
            let merge = found[index]
            table.insert(left: merge.left, right: merge.right, rank: Int32(rank), merged: merge.merged)
        }
        return table
    }

    private struct ScoredMerge {
        var left: Int32
        var right: Int32
        var merged: Int32
        var score: Float
        var leftLength: Int
        var rightLength: Int

        /// Higher scores first, then longer left tokens, then longer right ones; nil for equals.
        func isBefore(_ other: ScoredMerge) -> Bool? {
            if score != other.score { return score > other.score }
            if leftLength != other.leftLength { return leftLength > other.leftLength }
            return rightLength != other.rightLength ? rightLength > other.rightLength : nil
        }
    }

    private static func waysToMerge(
        _ token: [UInt8], into merged: Int32, _ score: Float, _ vocabulary: Vocabulary
    ) -> [ScoredMerge] {
        var ways: [ScoredMerge] = []
        let length = token.count { $0 & 0xC0 != 0x80 }
        // No published token is longer; a damaged file must not cost quadratic time.
        guard (2...256).contains(length) else { return [] }
        var leftLength = 1
        for cut in 1..<token.count where token[cut] & 0xC0 != 0x80 {
            if let left = vocabulary.id(of: token[..<cut]), let right = vocabulary.id(of: token[cut...]) {
                ways.append(
                    ScoredMerge(
                        left: left, right: right, merged: merged, score: score.isNaN ? -.infinity : score,
                        leftLength: leftLength, rightLength: length - leftLength))
            }
            leftLength += 1
        }
        return ways.sorted { ($0.left, $0.right) < ($1.left, $1.right) }
    }
}
