/// The tokenizer that a GGUF file carries, as plain values.
///
/// Swift compares strings by canonical equivalence; tables keyed by token must compare UTF-8 bytes instead.
package struct StoredVocabulary: Sendable {
    /// `tokenizer.ggml.model`: `gpt2` (byte-level BPE), `llama` (SentencePiece), `bert`, …
    package var model: String
    /// `tokenizer.ggml.pre`: which pre-tokenizer the vocabulary was trained with.
    package var pre: String?
    /// Token texts by id.
    package var tokens: [String]
    /// Token kinds by id (1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte); empty when the file has
    /// none.
    package var types: [Int32]
    /// Merges in order of rank, both halves separated by a space; empty when the file has none.
    package var merges: [String]
    /// Scores by id; empty when the file has none.
    package var scores: [Float]
    /// `tokenizer.ggml.bos_token_id`.
    package var bosTokenID: Int?
    /// `tokenizer.ggml.eos_token_id`.
    package var eosTokenID: Int?
    /// `tokenizer.ggml.eot_token_id`: the end of a turn, a second end-of-text for chat models.
    package var eotTokenID: Int?
    /// `tokenizer.ggml.unknown_token_id`.
    package var unknownTokenID: Int?
    /// `tokenizer.ggml.padding_token_id`.
    package var paddingTokenID: Int?
    /// `tokenizer.ggml.cls_token_id`: what BERT puts in front of a text.
    package var classTokenID: Int?
    /// `tokenizer.ggml.seperator_token_id`, spelled so: what BERT puts behind a text.
    package var separatorTokenID: Int?
    /// `tokenizer.ggml.mask_token_id`.
    package var maskTokenID: Int?
    /// Whether a prompt begins with the BOS token; nil when the file does not say.
    package var addsBOS: Bool?
    /// Whether a prompt ends with the EOS token; nil when the file does not say.
    package var addsEOS: Bool?
    /// Whether SentencePiece puts a space before the text; nil when the file does not say.
    package var addsSpacePrefix: Bool?
    /// Whether runs of spaces count as one; nil when the file does not say.
    package var removesExtraSpaces: Bool?
    /// SentencePiece's table of replacements; empty when the file has none.
    package var characterMap: [UInt8]
    /// The Jinja chat template.
    package var chatTemplate: String?
}

/// Reads the tokenizer of a GGUF file (any part of a split one) without looking at its weights.
package func readStoredVocabulary(path: String) throws(CheckpointError) -> StoredVocabulary? {
    try StoredVocabulary(file: GGUFFile(path: GGUFSplitName.first(of: path)))
}

/// Reads the chat templates of a GGUF file, the default one without a name, without looking at vocabulary or weights.
package func readStoredTemplates(path: String) throws(CheckpointError) -> [(name: String?, text: String)] {
    let file = try GGUFFile(path: GGUFSplitName.first(of: path))
    let key = "tokenizer.chat_template"
    var templates: [(name: String?, text: String)] = []
    if let text = try file.string(key) { templates.append((nil, text)) }
    for name in try file.strings("tokenizer.chat_templates") ?? [] {
        if let text = try file.string("\(key).\(name)") { templates.append((name, text)) }
    }
    return templates
}

extension StoredVocabulary {
    /// Reads the metadata under `tokenizer.`; nil when the file has no token list.
    init?(file: GGUFFile) throws(CheckpointError) {
        let prefix = "tokenizer.ggml."
        guard let tokens = try file.strings(prefix + "tokens") else { return nil }
        self.tokens = tokens
        model = try file.string(prefix + "model") ?? "llama"
        pre = try file.string(prefix + "pre")
        let numbers = try file.numbers(prefix + "token_type") ?? []
        types = numbers.map { Int32(exactly: $0) ?? 0 }
        merges = try file.strings(prefix + "merges") ?? []
        scores = (try file.numbers(prefix + "scores") ?? []).map { Float($0) }
        for (key, count) in [("token_type", types.count), ("scores", scores.count)]
        where count != 0 && count != tokens.count {
            let reason = "\(count) entries for \(tokens.count) tokens"
            throw .malformed(file: file.path, place: "key `\(prefix)\(key)`", reason: reason)
        }
        bosTokenID = try StoredVocabulary.tokenID(file, prefix + "bos_token_id", tokens.count)
        eosTokenID = try StoredVocabulary.tokenID(file, prefix + "eos_token_id", tokens.count)
        eotTokenID = try StoredVocabulary.tokenID(file, prefix + "eot_token_id", tokens.count)
        unknownTokenID = try StoredVocabulary.tokenID(file, prefix + "unknown_token_id", tokens.count)
        paddingTokenID = try StoredVocabulary.tokenID(file, prefix + "padding_token_id", tokens.count)
        classTokenID = try StoredVocabulary.tokenID(file, prefix + "cls_token_id", tokens.count)
        separatorTokenID = try StoredVocabulary.tokenID(file, prefix + "seperator_token_id", tokens.count)
        maskTokenID = try StoredVocabulary.tokenID(file, prefix + "mask_token_id", tokens.count)
        addsBOS = try file.boolean(prefix + "add_bos_token")
        addsEOS = try file.boolean(prefix + "add_eos_token")
        addsSpacePrefix = try file.boolean(prefix + "add_space_prefix")
        removesExtraSpaces = try file.boolean(prefix + "remove_extra_whitespaces")
        let table = try file.numbers(prefix + "precompiled_charsmap") ?? []
        characterMap = table.map { UInt8(truncatingIfNeeded: Int($0)) }
        chatTemplate = try file.string("tokenizer.chat_template")
    }

    /// A token id, nil when absent or outside the vocabulary (converters write 2^32 − 1 for "none").
    private static func tokenID(_ file: GGUFFile, _ key: String, _ count: Int) throws(CheckpointError) -> Int? {
        guard let id = try file.integer(key), (0..<count).contains(id) else { return nil }
        return id
    }
}
