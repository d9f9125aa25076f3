internal import JSON

// Families that merge pieces, and models that are used as they say themselves.
extension SentencePieceBuild {
    /// As `LlamaTokenizer` has it.
    func llama() throws(TokenizerError) -> Result {
        let tables = mergingTables
        let options = source.config.vocabulary
        let addsPrefix = options.addsPrefixSpace ?? true
        let scheme: Metaspace.PrependScheme =
            addsPrefix ? (options.isLegacy ?? false) ? .always : .first : .never
        return (
            VocabularyOutline(
                model: ["type": "BPE", "fuse_unk": true, "byte_fallback": true],
                preTokenizer: Component.metaspace(scheme, splits: false),
                decoder: decoder(dropsFirstSpace: addsPrefix), addedTokens: addedTokens(tables.vocabulary)), tables
        )
    }

    /// As `GemmaTokenizer` has it.
    func gemma() throws(TokenizerError) -> Result {
        let tables = mergingTables
        return (
            VocabularyOutline(
                model: [
                    "type": "BPE", "unk_token": .string(config.unkToken ?? ""), "fuse_unk": true,
                    "byte_fallback": true,
                ],
                normalizer: Component.replace(" ", with: "\u{2581}"),
                preTokenizer: [
                    "type": "Split", "pattern": ["String": " "], "behavior": "MergedWithPrevious", "invert": false,
                ],
                decoder: decoder(dropsFirstSpace: false), addedTokens: addedTokens(tables.vocabulary)), tables
        )
    }

    /// As the model's own settings say: what SentencePiece itself would do.
    func plain() throws(TokenizerError) -> Result {
        let tables = model.kind == .bpe ? try scoredTables() : TokenizerTables(scored: renamed)
        let isLegacy = source.config.vocabulary.isLegacy ?? true
        let userDefined = model.pieces.indices.filter { model.pieces[$0].kind == .userDefined }.map { renamed[$0].0 }
        var options: JSONObject = ["byte_fallback": .bool(model.fallsBackToBytes)]
        if model.kind == .bpe {
            options["type"] = "BPE"
            options["unk_token"] = .string(model.unknown ?? "<unk>")
            options["fuse_unk"] = true
            options["ignore_merges"] = .bool(!userDefined.isEmpty)
        } else {
            options["type"] = "Unigram"
            options["unk_id"] = .int(Int64(model.unknownID))
        }
        return (
            VocabularyOutline(
                model: options, normalizer: plainNormalizer(isLegacy: isLegacy),
                preTokenizer: plainPreTokenizer(isLegacy: isLegacy, userDefined),
                decoder: plainDecoder, addedTokens: addedTokens(tables.vocabulary, withUserDefined: false)), tables
        )
    }

    private func plainNormalizer(isLegacy: Bool) -> JSONValue {
        var steps = [characterMap].compactMap { $0 }
        if model.removesExtraSpaces {
            steps.append(Component.replace(expression: #"\A +| +\z"#, with: ""))
            steps.append(Component.replace(expression: " {2,}", with: " "))
        }
        if model.marksSpaces { steps.append(Component.replace(" ", with: "\u{2581}")) }
        if model.addsSpacePrefix, isLegacy {
            // The pre-tokenizer puts no mark in front of one, but SentencePiece does.
            steps.append(Component.replace(expression: "\\A\u{2581}", with: "\u{2581}\u{2581}"))
        }
        return Component.normalizers(steps)
    }

    private func plainPreTokenizer(isLegacy: Bool, _ userDefined: [[UInt8]]) -> JSONValue {
        var steps: [JSONValue] = []
        if model.addsSpacePrefix { steps.append(Component.metaspace(isLegacy ? .always : .first, splits: false)) }
        if !userDefined.isEmpty {
            let texts = userDefined.map { String(decoding: $0, as: UTF8.self) }
            let longestFirst = texts.enumerated().sorted {
                let lengths = ($0.element.unicodeScalars.count, $1.element.unicodeScalars.count)
                return lengths.0 == lengths.1 ? $0.offset < $1.offset : lengths.0 > lengths.1
            }
            let expression = longestFirst.map { Self.escaped($0.element) }.joined(separator: "|")
            steps.append(Component.split(expression: expression))
        }
        return steps.isEmpty ? .null : ["type": "Sequence", "pretokenizers": .array(steps)]
    }

    private var plainDecoder: JSONValue {
        var steps: [JSONValue] = [Component.replace("\u{2581}", with: " ")]
        if model.fallsBackToBytes { steps.append(["type": "ByteFallback"]) }
        if model.addsSpacePrefix {
            steps += [["type": "Fuse"], ["type": "Strip", "content": " ", "start": 1, "stop": 0]]
        } else if model.fallsBackToBytes {
            steps.append(["type": "Fuse"])
        }
        return Component.decoders(steps)
    }

    /// An expression that matches just a text.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if "()[]{}?*+-|^$\\.&~# \t\n\r\u{B}\u{C}".unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}

// Tables.
extension SentencePieceBuild {
    /// All pieces, merged in the order of their ids.
    private var mergingTables: TokenizerTables {
        let vocabulary = vocabulary(of: model.pieces.map(\.text))
        let ids = (0..<Int32(model.pieces.count)).filter { !model.pieces[Int($0)].text.isEmpty }
        return TokenizerTables(
            vocabulary: vocabulary, merges: PieceMerges.table(of: ids, in: vocabulary) { _ in true })
    }

    /// The ordinary pieces, merged in the order of their scores.
    private func scoredTables() throws(TokenizerError) -> TokenizerTables {
        let vocabulary = vocabulary(of: renamed.map(\.0))
        func isOrdinary(_ id: Int32) -> Bool { model.pieces[Int(id)].kind == .normal }
        func score(_ id: Int32) -> Float {
            let score = model.pieces[Int(id)].score
            return score.isNaN ? -.infinity : score
        }
        let ids = (0..<Int32(model.pieces.count)).filter(isOrdinary).sorted { left, right in
            score(left) == score(right) ? left < right : score(left) > score(right)
        }
        return TokenizerTables(
            vocabulary: vocabulary, merges: PieceMerges.table(of: ids, in: vocabulary, parts: isOrdinary))
    }

    private func vocabulary(of texts: [[UInt8]]) -> Vocabulary {
        var vocabulary = Vocabulary(capacity: texts.count)
        for (id, text) in texts.enumerated() where !text.isEmpty { vocabulary.insert(text, id: Int32(id)) }
        return vocabulary
    }

    /// The pieces under the names that the configuration's list has for their ids.
    private var renamed: [([UInt8], Double)] {
        var pieces = model.pieces.map { ($0.text, Double($0.score)) }
        guard model.kind == .bpe, !config.addedTokens.isEmpty else { return pieces }
        let names = Dictionary(
            source.config.addedTokens.map { (Int($0.id), $0.content) }, uniquingKeysWith: { $1 })
        // A piece that keeps its own id keeps its name.
        let kept = Set(pieces.indices.filter { names[$0] == nil }.map { pieces[$0].0 })
        for (id, name) in names where pieces.indices.contains(id) && !kept.contains(name) { pieces[id].0 = name }
        return pieces
    }
}
