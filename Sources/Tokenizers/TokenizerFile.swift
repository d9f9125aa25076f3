internal import JSON

/// Reads Hugging Face's tokenizer.json.
struct TokenizerFile {
    private let root: TokenizerCursor
    private let file: String
    /// The tables, where the file's own lists need not be read.
    let tables: TokenizerTables?

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
        // A file's own members never name special tokens.
        if tables == nil { members[Self.namesKey] = nil }
        model["vocab"] = [:]
        model["merges"] = []
        members["model"] = .object(model)
        return .file(.object(members), name: file)
    }

    /// The names of special tokens that a vocabulary without tokenizer.json has where its configuration has none.
    static let namesKey = "special_tokens"

    /// A configuration with such names.
    func completed(_ config: TokenizerConfig) -> TokenizerConfig {
        guard tables != nil, let names = root.value[Self.namesKey]?.objectValue else { return config }
        var config = config
        config.complete(
            with: Dictionary(
                names.compactMap { key, value in value.stringValue.map { (key, $0) } }, uniquingKeysWith: { $1 }))
        return config
    }

    /// The whole file as parts of a tokenizer.
    func parts() throws(TokenizerError) -> TokenizerParts {
        let model = try model(root.required("model"))
        var postProcessor: PostProcessor?
        if let stated = try root.member("post_processor") {
            postProcessor = PostProcessor(templates: try templates(stated))
        }
        var inputRules = InputRules()
        if let stated = try root.member("truncation") { try inputRules.read(truncation: stated) }
        return TokenizerParts(
            normalizer: try root.member("normalizer").map(normalizer),
            preTokenizer: try root.member("pre_tokenizer").map(preTokenizer),
            model: model,
            addedTokens: try addedTokens(model.vocabulary),
            postProcessor: postProcessor,
            decoder: try root.member("decoder").map(decoder), inputRules: inputRules)
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

// Normalizers.
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
                left: try cursor.boolean("strip_left", default: true),
                right: try cursor.boolean("strip_right", default: true)
            )
        case "StripAccents": return .stripAccents
        case "Prepend": return .prepend(Array(try cursor.required("prepend").string().utf8))
        case "Replace": return .replace(try pattern(cursor), with: Array(try cursor.required("content").string().utf8))
        case "ByteLevel": return .byteLevel
        case "Nmt": return .nmt
        case "Precompiled":
            let text = try cursor.required("precompiled_charsmap")
            guard let map = Base64.bytes(of: try text.string()).flatMap(CharacterMap.init) else {
                throw text.failure("expected a table of replacements in base64")
            }
            return .characterMap(map)
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
