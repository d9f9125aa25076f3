internal import JSON

/// What tokenizer_config.json and special_tokens_map.json say; every field may be missing.
package struct TokenizerConfig: Sendable {
    package var bosToken: String?
    package var eosToken: String?
    package var padToken: String?
    package var unkToken: String?
    /// Named tokens beyond the four (`additional_special_tokens`, `extra_special_tokens`, `cls_token` …).
    package var extraSpecialTokens: [String] = []
    /// Taken into account only where tokenizer.json has no post-processor, as transformers does since version 5.
    package var addsBOS: Bool?
    package var addsEOS: Bool?
    /// Nil for "no limit".
    package var modelMaxLength: Int?
    /// Chat templates by name; a single one is called "default". chat_template.jinja wins over the configuration.
    package var chatTemplates: [String: String] = [:]
    /// `added_tokens_decoder`, which completes and overrides the list of tokenizer.json.
    var addedTokens: [AddedToken] = []

    package init() {}

    /// Reads whatever a model folder has.
    package init(folder: String) throws(TokenizerError) {
        for name in ["special_tokens_map.json", "tokenizer_config.json"] {
            let file = "\(folder)/\(name)"
            if let bytes = try FileBytes.read(file) { try read(JSONCursor(parsing: bytes, file: file)) }
        }
        if let template = try FileBytes.read("\(folder)/chat_template.jinja") {
            chatTemplates["default"] = String(decoding: template, as: UTF8.self)
        }
    }

    private mutating func read(_ root: JSONCursor) throws(TokenizerError) {
        bosToken = try Self.token(root, "bos_token") ?? bosToken
        eosToken = try Self.token(root, "eos_token") ?? eosToken
        padToken = try Self.token(root, "pad_token") ?? padToken
        unkToken = try Self.token(root, "unk_token") ?? unkToken
        for key in ["cls_token", "sep_token", "mask_token"] {
            if let token = try Self.token(root, key) { addExtra(token) }
        }
        for key in ["additional_special_tokens", "extra_special_tokens"] {
            try readExtra(root.optional(key))
        }
        addsBOS = try root.optional("add_bos_token")?.bool() ?? addsBOS
        addsEOS = try root.optional("add_eos_token")?.bool() ?? addsEOS
        if let limit = try root.optional("model_max_length"), let number = limit.value.doubleValue, number < 1e15 {
            modelMaxLength = number >= 1 ? Int(number) : nil
        }
        try readAddedTokens(root)
        try readChatTemplate(root)
    }

    /// A token is a string or an object with `content`.
    private static func token(_ cursor: JSONCursor) throws(TokenizerError) -> String {
        if case .object = cursor.value { return try cursor.required("content").string() }
        return try cursor.string()
    }

    private static func token(_ root: JSONCursor, _ key: String) throws(TokenizerError) -> String? {
        guard let cursor = try root.optional(key) else { return nil }
        return try token(cursor)
    }

    private mutating func addExtra(_ token: String) {
        if !extraSpecialTokens.contains(token) { extraSpecialTokens.append(token) }
    }

    /// A list of tokens, or an object from names to tokens.
    private mutating func readExtra(_ cursor: JSONCursor?) throws(TokenizerError) {
        guard let cursor else { return }
        if case .object(let members) = cursor.value {
            for (name, value) in members { addExtra(try Self.token(cursor.child(".\(name)", value))) }
        } else {
            for element in try cursor.elements() { addExtra(try Self.token(element)) }
        }
    }

    private mutating func readAddedTokens(_ root: JSONCursor) throws(TokenizerError) {
        guard let list = try root.optional("added_tokens_decoder") else { return }
        for (name, value) in try list.object() {
            let entry = list.child(".\(name)", value)
            guard let id = Int32(name), id >= 0, id < Vocabulary.idLimit else {
                throw entry.malformed("expected a token id as key")
            }
            let token = try AddedToken(entry, id: id)
            if !token.content.isEmpty { addedTokens.append(token) }
        }
    }

    private mutating func readChatTemplate(_ root: JSONCursor) throws(TokenizerError) {
        guard let template = try root.optional("chat_template") else { return }
        if case .array = template.value {
            for entry in try template.elements() {
                chatTemplates[try entry.required("name").string()] = try entry.required("template").string()
            }
        } else {
            chatTemplates["default"] = try template.string()
        }
    }
}
