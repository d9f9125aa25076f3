internal import JSON

// The models of tokenizer.json.
extension TokenizerFile {
    func model(_ model: TokenizerCursor) throws(TokenizerError) -> SubwordModel {
        let type = try model.member("type")
        switch try type?.string() ?? "BPE" {
        case "BPE": return .bpe(try bpe(model))
        case "WordPiece": return .wordPiece(try wordPiece(model))
        case "Unigram": return .unigram(try unigram(model))
        case let name: throw (type ?? model).unsupported("model \"\(name)\"")
        }
    }

    private func bpe(_ model: TokenizerCursor) throws(TokenizerError) -> BPE {
        if let dropout = try model.member("dropout"), dropout.value.doubleValue != 0 {
            throw dropout.unsupported("dropout")
        }
        let vocabulary = try vocabulary(model.required("vocab"))
        var options = BPE.Options()
        options.fusesUnknown = try model.boolean("fuse_unk", default: false)
        options.fallsBackToBytes = try model.boolean("byte_fallback", default: false)
        options.ignoresMerges = try model.boolean("ignore_merges", default: false)
        options.continuingPrefix = try bytes(model, "continuing_subword_prefix")
        options.endOfWordSuffix = try bytes(model, "end_of_word_suffix")
        options.unknownID = vocabulary.id(of: try bytes(model, "unk_token"))
        let merges = try merges(model.required("merges"), vocabulary, prefix: options.continuingPrefix.count)
        return BPE(vocabulary: vocabulary, merges: merges, options: options)
    }

    private func wordPiece(_ model: TokenizerCursor) throws(TokenizerError) -> WordPiece {
        let tables: TokenizerTables
        if let kept = self.tables {
            tables = kept
        } else {
            tables = TokenizerTables(wordPieces: try Self.vocabulary(model.required("vocab")))
        }
        let unknown = try model.member("unk_token")
        let name = try unknown?.string() ?? "[UNK]"
        guard let unknownID = tables.vocabulary.id(of: name.utf8) else {
            throw (unknown ?? model).failure("token \"\(name)\" is not in the vocabulary")
        }
        return WordPiece(
            vocabulary: tables.vocabulary, pieces: tables.pieces, unknownID: unknownID,
            continuingPrefix: Array(try model.member("continuing_subword_prefix")?.string().utf8 ?? "##".utf8),
            longestWord: try model.member("max_input_chars_per_word")?.count() ?? 100)
    }

    private func unigram(_ model: TokenizerCursor) throws(TokenizerError) -> Unigram {
        let list = try model.required("vocab")
        let tables: TokenizerTables
        if let kept = self.tables { tables = kept } else { tables = try Self.scoredTables(list) }
        let unknown = try model.member("unk_id")
        let unknownID = try unknown?.tokenID()
        if let unknown, let unknownID, Int(unknownID) >= tables.scores.count {
            throw unknown.failure("token id \(unknownID) is out of range 0..<\(tables.scores.count)")
        }
        return Unigram(
            vocabulary: tables.vocabulary, pieces: tables.pieces, scores: tables.scores, unknownID: unknownID,
            fallsBackToBytes: try model.boolean("byte_fallback", default: false))
    }

    /// The tables of a list of `[token, score]`.
    private static func scoredTables(_ cursor: TokenizerCursor) throws(TokenizerError) -> TokenizerTables {
        guard case .array(let list) = cursor.value else { throw cursor.failure("expected array") }
        if list.isEmpty { throw cursor.failure("no tokens") }
        if list.count > Vocabulary.idLimit { throw cursor.failure("more than \(Vocabulary.idLimit) tokens") }
        var scored: [([UInt8], Double)] = []
        scored.reserveCapacity(list.count)
        for (id, entry) in list.enumerated() {
            guard let pair = entry.arrayValue, pair.count == 2, let token = pair[0].stringValue,
                let score = pair[1].doubleValue
            else { throw cursor.child(at: "[\(id)]", entry).failure("expected a token and its score") }
            scored.append((Array(token.utf8), score))
        }
        return TokenizerTables(scored: scored)
    }

    private func bytes(_ cursor: TokenizerCursor, _ key: String) throws(TokenizerError) -> [UInt8] {
        Array(try cursor.member(key)?.string().utf8 ?? "".utf8)
    }

    private func vocabulary(_ cursor: TokenizerCursor) throws(TokenizerError) -> Vocabulary {
        if let tables { return tables.vocabulary }
        return try Self.vocabulary(cursor)
    }

    /// The tokens of an object from tokens to ids.
    static func vocabulary(_ cursor: TokenizerCursor) throws(TokenizerError) -> Vocabulary {
        let members = try cursor.object()
        if members.isEmpty { throw cursor.failure("no tokens") }
        var vocabulary = Vocabulary(capacity: members.count)
        for (token, id) in members {
            guard case .int(let number) = id, number >= 0, number < Vocabulary.idLimit else {
                _ = try cursor.child(at: "[\"\(token)\"]", id).tokenID()
                continue
            }
            vocabulary.insert(token.utf8, id: Int32(number))
        }
        return vocabulary
    }

    private func merges(
        _ cursor: TokenizerCursor, _ vocabulary: Vocabulary, prefix: Int
    ) throws(TokenizerError) -> MergeTable {
        if let tables { return tables.merges }
        guard case .array(let list) = cursor.value else { throw cursor.failure("expected array") }
        var builder = MergeTableBuilder(vocabulary: vocabulary, prefix: prefix, capacity: list.count)
        for (index, entry) in list.enumerated() {
            let problem: String?
            switch entry {
            case .string(let text):
                if text.hasPrefix("#version") { continue }
                problem = builder.append(text)
            case .array(let pair):
                if pair.count == 2, case .string(let left) = pair[0], case .string(let right) = pair[1] {
                    problem = builder.append(Array(left.utf8), Array(right.utf8))
                } else {
                    problem = "expected two strings"
                }
            default:
                problem = "expected string or array, got \(entry.kindName)"
            }
            if let problem { throw cursor.child(at: "[\(index)]", entry).failure(problem) }
        }
        return builder.table
    }
}
