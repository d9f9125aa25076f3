internal import JSON

/// A `tokenizer.model` of ranked tokens, as tiktoken reads it: a line for each token, in base64, and its rank, which is its id.
enum RankedTokens {
    /// What the folder's tokenizer.json would be.
    static func tokenizerFile(
        _ bytes: [UInt8], _ source: VocabularySource
    ) throws(TokenizerError) -> TokenizerFile {
        let tokens = try read(bytes, file: source.file)
        var vocabulary = Vocabulary(capacity: tokens.count)
        // By their bytes, to find the parts of a token; and spelled, as the model has them.
        var plain = Vocabulary(capacity: tokens.count)
        for (token, id) in tokens {
            vocabulary.insert(ByteAlphabet.spelled(token), id: id)
            plain.insert(token, id: id)
        }
        let tables = TokenizerTables(vocabulary: vocabulary, merges: merges(tokens, plain))
        let outline = VocabularyOutline(
            model: ["type": "BPE", "ignore_merges": true],
            preTokenizer: Component.preTokenizers(
                Component.split(expression: GGUFWordRule.llama3),
                Component.byteLevel(addsPrefixSpace: false, splits: false)),
            decoder: ["type": "ByteLevel"],
            addedTokens: addedTokens(vocabulary, source.config))
        return outline.tokenizerFile(source.file, tables: tables, names: [:])
    }

    private static func read(_ bytes: [UInt8], file: String) throws(TokenizerError) -> [([UInt8], Int32)] {
        var tokens: [([UInt8], Int32)] = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty { continue }
            let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 2, let token = Base64.bytes(of: String(decoding: parts[0], as: UTF8.self)),
                !token.isEmpty, let rank = Int(String(decoding: parts[1], as: UTF8.self)),
                (0..<Vocabulary.idLimit).contains(rank)
            else {
                throw .malformed(
                    file: file, path: "line \(index + 1)",
                    reason: "neither a piece of SentencePiece nor a token in base64 and its rank")
            }
            tokens.append((token, Int32(rank)))
        }
        if tokens.isEmpty { throw .malformed(file: file, path: "", reason: "no tokens") }
        return tokens
    }

    /// Each way to put a token together from two others: by the token's rank, then by the ranks of its parts.
    private static func merges(_ tokens: [([UInt8], Int32)], _ vocabulary: Vocabulary) -> MergeTable {
        var found: [(left: Int32, right: Int32, merged: Int32)] = []
        for (token, merged) in tokens.sorted(by: { $0.1 < $1.1 }) {
            // Tokens of text are short; a damaged file must not cost quadratic time.
            guard token.count <= 1024 else { continue }
            let first = found.count
            for cut in token.indices.dropFirst() {
                guard let left = vocabulary.id(of: token[..<cut]), let right = vocabulary.id(of: token[cut...]) else {
                    continue
                }
                found.append((left, right, merged))
            }
            found[first...].sort { ($0.left, $0.right) < ($1.left, $1.right) }
        }
        var table = MergeTable(capacity: found.count)
        for (rank, merge) in found.enumerated() {
            table.insert(left: merge.left, right: merge.right, rank: Int32(rank), merged: merge.merged)
        }
        return table
    }

    /// The configuration's tokens behind the ranked ones; ids between them that it does not name are reserved.
    private static func addedTokens(_ vocabulary: Vocabulary, _ config: TokenizerConfig) -> [AddedToken] {
        var named: [Int32: AddedToken] = [:]
        for token in config.addedTokens { named[token.id] = token }
        let first = Int32(vocabulary.idCount)
        let last = min(named.keys.max() ?? -1, first + 1 << 16)
        var tokens: [AddedToken] = []
        for id in stride(from: first, through: last, by: 1) {
            let reserved = AddedToken(content: Array("<|reserved_token_\(id)|>".utf8), id: id, isSpecial: true)
            tokens.append(named[id] ?? reserved)
        }
        return Tokenizer.completing(tokens, vocabulary, config)
    }
}
