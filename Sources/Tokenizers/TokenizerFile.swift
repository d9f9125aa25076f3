internal import JSON

/// Reads Hugging Face's tokenizer.json.
struct TokenizerFile {
    private let root: TokenizerCursor
    private let file: String
    /// The tables, where the file's own lists need not be read.
    private let tables: TokenizerTables?

    init(bytes: [UInt8], file: String) throws(TokenizerError) {
        root = try TokenizerCursor(parsing: bytes, file: file)
        self.file = file
        tables = nil
    }

    /// The file that an outline was made of, with tables that were kept.
    init(_ outline: JSONValue, file: String, tables: TokenizerTables) {
        root = TokenizerCursor(outline, file: file)
        self.file = file
        self.tables = tables
    }

    /// Everything but the long lists of the model.
    var outline: TokenizerOutline {
        guard case .object(var members) = root.value, case .object(var model)? = members["model"] else {
            return .file(root.value, name: file)
        }
        model["vocab"] = [:]
        model["merges"] = []
        members["model"] = .object(model)
        return .file(.object(members), name: file)
    }

    /// The whole file as parts of a tokenizer.
    func parts() throws(TokenizerError) -> TokenizerParts {
        let model = try model(root.required("model"))
        var postProcessor: PostProcessor?
        if let stated = try root.member("post_processor") {
            postProcessor = PostProcessor(templates: try templates(stated))
        }
        return TokenizerParts(
            normalizer: try root.member("normalizer").map(normalizer),
            preTokenizer: try root.member("pre_tokenizer").map(preTokenizer),
            model: model,
            addedTokens: try addedTokens(model.vocabulary),
            postProcessor: postProcessor,
            decoder: try root.member("decoder").map(decoder))
    }

    private func addedTokens(_ vocabulary: Vocabulary) throws(TokenizerError) -> [AddedToken] {
        guard let list = try root.member("added_tokens") else { return [] }
        var tokens: [AddedToken] = []
        for entry in try list.elements() {
            var token = try AddedToken(entry, id: try entry.required("id").tokenID())
            if token.content.isEmpty { continue }
            // The model's own id wins, as in the reference.
            if let known = vocabulary.id(of: token.content) { token.id = known }
            tokens.append(token)
        }
        return tokens
    }
}

extension AddedToken {
    /// The members that tokenizer.json and tokenizer_config.json have in common.
    init(_ entry: TokenizerCursor, id: Int32) throws(TokenizerError) {
        self.init(
            content: Array(try entry.required("content").string().utf8),
            id: id,
            isSingleWord: try entry.boolean("single_word", default: false),
            stripsLeft: try entry.boolean("lstrip", default: false),
            stripsRight: try entry.boolean("rstrip", default: false),
            isNormalized: try entry.boolean("normalized", default: false),
            isSpecial: try entry.boolean("special", default: false))
    }
}

// The model.
extension TokenizerFile {
    private func model(_ model: TokenizerCursor) throws(TokenizerError) -> BPE {
        if let type = try model.member("type") {
            let name = try type.string()
            if name != "BPE" { throw type.unsupported("model \"\(name)\"") }
        }
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

    private func bytes(_ cursor: TokenizerCursor, _ key: String) throws(TokenizerError) -> [UInt8] {
        Array(try cursor.member(key)?.string().utf8 ?? "".utf8)
    }

    private func vocabulary(_ cursor: TokenizerCursor) throws(TokenizerError) -> Vocabulary {
        if let tables { return tables.vocabulary }
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

// Normalizers and post-processors.
extension TokenizerFile {
    private func normalizer(_ cursor: TokenizerCursor) throws(TokenizerError) -> Normalizer {
        let type = try cursor.required("type")
        switch try type.string() {
        case "Sequence": return .sequence(try Self.list(cursor, "normalizers", normalizer))
        case "NFC": return .form(.nfc)
        case "NFD": return .form(.nfd)
        case "NFKC": return .form(.nfkc)
        case "NFKD": return .form(.nfkd)
        case "Lowercase": return .lowercase
        case "Strip":
            return .strip(
                left: try cursor.boolean("strip_left", default: true), right: try cursor.boolean("strip_right", default: true)
            )
        case "StripAccents": return .stripAccents
        case "Prepend": return .prepend(Array(try cursor.required("prepend").string().utf8))
        case "Replace": return .replace(try pattern(cursor), with: Array(try cursor.required("content").string().utf8))
        case "ByteLevel": return .byteLevel
        case "Nmt": return .nmt
        case "BertNormalizer":
            let lowercases = try cursor.boolean("lowercase", default: true)
            return .bert(
                BertNormalizer(
                    cleansText: try cursor.boolean("clean_text", default: true),
                    isolatesIdeographs: try cursor.boolean("handle_chinese_chars", default: true),
                    stripsAccents: try cursor.boolean("strip_accents", default: lowercases),
                    lowercases: lowercases))
        case let name: throw type.unsupported("normalizer \"\(name)\"")
        }
    }

    private func templates(_ cursor: TokenizerCursor) throws(TokenizerError) -> [[PostProcessor.Piece]] {
        let type = try cursor.required("type")
        switch try type.string() {
        case "ByteLevel": return []
        case "Sequence": return try Self.list(cursor, "processors", templates).flatMap { $0 }
        case "TemplateProcessing": return [try template(cursor)]
        case "RobertaProcessing", "BertProcessing":
            return [[.special([try pairID(cursor, "cls")]), .text, .special([try pairID(cursor, "sep")])]]
        case let name: throw type.unsupported("post-processor \"\(name)\"")
        }
    }

    /// The id of a `["[CLS]", 101]`.
    private func pairID(_ cursor: TokenizerCursor, _ key: String) throws(TokenizerError) -> Int32 {
        let pair = try cursor.required(key)
        let elements = try pair.elements()
        guard elements.count == 2 else { throw pair.failure("expected a token and its id") }
        return try elements[1].tokenID()
    }

    private func template(_ cursor: TokenizerCursor) throws(TokenizerError) -> [PostProcessor.Piece] {
        var pieces: [PostProcessor.Piece] = []
        for piece in try cursor.required("single").elements() {
            if let sequence = try piece.member("Sequence") {
                let name = try sequence.required("id")
                if try name.string() != "A" { throw name.failure("only sequence A can stand in a single template") }
                pieces.append(.text)
            } else {
                let token = try piece.required("SpecialToken").required("id")
                let entry = try cursor.required("special_tokens").required(try token.string())
                var ids: [Int32] = []
                for id in try entry.required("ids").elements() { ids.append(try id.tokenID()) }
                pieces.append(.special(ids))
            }
        }
        return pieces
    }
}

// Helpers of all component readers.
extension TokenizerFile {
    /// The components of a `Sequence`.
    static func list<T>(
        _ cursor: TokenizerCursor, _ key: String, _ read: (TokenizerCursor) throws(TokenizerError) -> T
    ) throws(TokenizerError) -> [T] {
        var result: [T] = []
        for element in try cursor.required(key).elements() { result.append(try read(element)) }
        return result
    }

    /// A `{"String": …}` or `{"Regex": …}`.
    func pattern(_ cursor: TokenizerCursor) throws(TokenizerError) -> Pattern {
        let pattern = try cursor.required("pattern")
        if let literal = try pattern.member("String") { return .literal(Array(try literal.string().utf8)) }
        let expression = try pattern.required("Regex")
        return .regex(try Self.regex(expression, try expression.string()))
    }

    /// Compiles an expression that stands at `cursor`.
    static func regex(_ cursor: TokenizerCursor, _ text: String) throws(TokenizerError) -> Regex {
        do { return try Regex(text) } catch { throw cursor.failure("regular expression: \(error.reason)") }
    }
}
