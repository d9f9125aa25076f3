internal import JSON

/// The vocabulary of a folder without tokenizer.json, used as transformers uses it.
enum FolderVocabulary {
    /// Names of SentencePiece's models, and of ranked tokens in their place.
    static let models = ["tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "spm.model"]

    /// What the folder's tokenizer.json would be; nil where no file of the folder is a vocabulary.
    ///
    /// Looked for in this order: a SentencePiece model, ranked tokens (`tiktoken.model`), `vocab.json` with `merges.txt`,
    /// `vocab.txt`.
    static func tokenizerFile(_ folder: String, _ config: TokenizerConfig) throws(TokenizerError) -> TokenizerFile? {
        var source = VocabularySource(folder: folder, config: config)
        for name in models {
            guard let bytes = try source.open(name) else { continue }
            let family = try source.family()
            return SentencePieceModel.isLikely(bytes)
                ? try SentencePieceModel(bytes, file: source.file).tokenizerFile(family, source)
                : try RankedTokens.tokenizerFile(bytes, source)
        }
        if let bytes = try source.open("tiktoken.model") { return try RankedTokens.tokenizerFile(bytes, source) }
        if let bytes = try source.open("vocab.json") {
            return try BytePairVocabulary.tokenizerFile(bytes, try source.family(), source)
        }
        guard let bytes = try source.open("vocab.txt") else { return nil }
        return try BertVocabulary.tokenizerFile(bytes, try source.family(), source)
    }
}

extension Tokenizer {
    /// Names of the files that a folder's vocabulary may be in where it has no tokenizer.json.
    package static let vocabularyFiles = FolderVocabulary.models + ["tiktoken.model", "vocab.json", "vocab.txt"]
}

/// A file with a vocabulary and what stands beside it.
struct VocabularySource {
    let folder: String
    /// What the folder says of special tokens, and how the vocabulary is used.
    private(set) var config: TokenizerConfig
    /// The file that was opened last, named in errors.
    private(set) var file = ""

    init(folder: String, config: TokenizerConfig) {
        self.folder = folder
        self.config = config
    }

    /// The bytes of a file in the folder, nil if there is none.
    mutating func open(_ name: String) throws(TokenizerError) -> [UInt8]? {
        let path = "\(folder)/\(name)"
        guard let bytes = try FileBytes.read(path) else { return nil }
        file = path
        if config.addedTokens.isEmpty { try readAddedTokens() }
        return bytes
    }

    /// The bytes of another file that must be there.
    func companion(_ name: String) throws(TokenizerError) -> (bytes: [UInt8], file: String) {
        let path = "\(folder)/\(name)"
        guard let bytes = try FileBytes.read(path) else { throw .unreadable(file: path, reason: "no such file") }
        return (bytes, path)
    }

    /// The rules that the vocabulary is used by.
    func family() throws(TokenizerError) -> TokenizerFamily {
        let path = "\(folder)/config.json"
        var modelType: String?
        if let bytes = try FileBytes.read(path) {
            modelType = try TokenizerCursor(parsing: bytes, file: path).value["model_type"]?.stringValue
        }
        let name = config.vocabulary.tokenizerClass
        guard let family = TokenizerFamily(tokenizerClass: name, modelType: modelType) else {
            throw .unsupported(
                file: "\(folder)/tokenizer_config.json", path: "tokenizer_class",
                feature: "class \"\(name ?? "")\" without a tokenizer.json")
        }
        return family
    }

    /// The list of older tokenizers, a token and its id; those that a configuration names are special.
    private mutating func readAddedTokens() throws(TokenizerError) {
        let path = "\(folder)/added_tokens.json"
        guard let bytes = try FileBytes.read(path) else { return }
        let root = try TokenizerCursor(parsing: bytes, file: path)
        let special = Set((config.namedTokens + config.extraSpecialTokens).map { Array($0.utf8) })
        for (name, id) in try root.object() where !name.isEmpty {
            let content = Array(name.utf8)
            let isSpecial = special.contains(content)
            config.addedTokens.append(
                AddedToken(
                    content: content, id: try root.child(at: "[\"\(name)\"]", id).tokenID(), isNormalized: !isSpecial,
                    isSpecial: isSpecial))
        }
        config.addedTokens.sort { $0.id < $1.id }
    }
}

extension VocabularySource {
    /// The configuration with a family's names.
    func completed(with names: [String: String]) -> TokenizerConfig {
        var config = config
        config.complete(with: names)
        return config
    }

    /// The id of a special token that the model wants around text.
    func id(
        of name: String?, _ tokens: [AddedToken], _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> (String, Int32) {
        let name = name ?? ""
        let content = Array(name.utf8)
        guard let id = tokens.first(where: { $0.content == content })?.id ?? vocabulary.id(of: content) else {
            throw .malformed(file: file, path: "", reason: "token \"\(name)\" is missing")
        }
        return (name, id)
    }
}
