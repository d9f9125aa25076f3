internal import JSON

/// What tokenizer_config.json and special_tokens_map.json say; every field may be missing.
package struct TokenizerConfig: Sendable {
    package var bosToken: String?
    package var eosToken: String?
    package var padToken: String?
    package var unkToken: String?
    package var clsToken: String?
    package var sepToken: String?
    package var maskToken: String?
    /// Special tokens without a purpose of their own (`additional_special_tokens`, `extra_special_tokens`).
    package var extraSpecialTokens: [String] = []
    /// Tokens besides `eosToken` that end an answer.
    package var endTokens: [String] = []
    /// Taken into account only where tokenizer.json has no post-processor, as transformers does since version 5.
    package var addsBOS: Bool?
    package var addsEOS: Bool?
    /// Nil for "no limit".
    package var modelMaxLength: Int?
    /// Chat templates by name; a single one is called "default". chat_template.jinja wins over the configuration.
    package var chatTemplates: [String: String] = [:]
    /// `truncation_side`: the end of a text is kept where it is cut.
    var keepsEnd: Bool?
    /// What the folder's own file says of inputs.
    var inputRules = InputRules()
    /// How a vocabulary is used that no tokenizer.json describes.
    var vocabulary = VocabularyOptions()
    /// `added_tokens_decoder`, which completes and overrides the list of tokenizer.json.
    var addedTokens: [AddedToken] = []

    package init() {}

    /// Reads whatever a model folder has.
    package init(folder: String) throws(TokenizerError) {
        for name in ["special_tokens_map.json", "tokenizer_config.json"] {
            let file = "\(folder)/\(name)"
            if let bytes = try FileBytes.read(file) { try read(TokenizerCursor(parsing: bytes, file: file)) }
        }
        try inputRules.read(folder: folder)
        if let template = try FileBytes.read("\(folder)/chat_template.jinja") {
            chatTemplates["default"] = String(decoding: template, as: UTF8.self)
        }
    }

    private mutating func read(_ root: TokenizerCursor) throws(TokenizerError) {
        bosToken = try Self.token(root, "bos_token") ?? bosToken
        eosToken = try Self.token(root, "eos_token") ?? eosToken
        padToken = try Self.token(root, "pad_token") ?? padToken
        unkToken = try Self.token(root, "unk_token") ?? unkToken
        clsToken = try Self.token(root, "cls_token") ?? clsToken
        sepToken = try Self.token(root, "sep_token") ?? sepToken
        maskToken = try Self.token(root, "mask_token") ?? maskToken
        if let side = try root.member("truncation_side")?.value.stringValue { keepsEnd = side == "left" }
        try vocabulary.read(root)
        for key in ["additional_special_tokens", "extra_special_tokens"] { readExtra(try root.member(key)?.value) }
        addsBOS = try Self.flag(root, "add_bos_token") ?? addsBOS
        addsEOS = try Self.flag(root, "add_eos_token") ?? addsEOS
        if let limit = try root.member("model_max_length"), let number = limit.value.doubleValue, number < 1e15 {
            modelMaxLength = number >= 1 ? Int(number) : nil
        }
        try readAddedTokens(root)
        readChatTemplate(try root.member("chat_template")?.value)
    }

    /// Names special tokens that have no names yet.
    ///
    /// - Parameter names: By their keys in tokenizer_config.json (`bos_token`).
    mutating func complete(with names: [String: String]) {
        bosToken = bosToken ?? names["bos_token"]
        eosToken = eosToken ?? names["eos_token"]
        unkToken = unkToken ?? names["unk_token"]
        sepToken = sepToken ?? names["sep_token"]
        padToken = padToken ?? names["pad_token"]
        clsToken = clsToken ?? names["cls_token"]
        maskToken = maskToken ?? names["mask_token"]
    }

    /// The names that there are, in the order in which tokens are added that no vocabulary has.
    var namedTokens: [String] {
        [bosToken, eosToken, unkToken, sepToken, padToken, clsToken, maskToken].compactMap { $0 }
    }

    /// A token is a string or an object with `content`; anything else (`false`) stands for none.
    private static func token(_ value: JSONValue) -> String? {
        value.stringValue ?? value["content"]?.stringValue
    }

    private static func token(_ root: TokenizerCursor, _ key: String) throws(TokenizerError) -> String? {
        try root.member(key).flatMap { token($0.value) }
    }

    /// A boolean, or a number as Python takes it for one.
    private static func flag(_ root: TokenizerCursor, _ key: String) throws(TokenizerError) -> Bool? {
        guard let cursor = try root.member(key) else { return nil }
        if let number = cursor.value.doubleValue { return number != 0 }
        return try cursor.boolean()
    }

    private mutating func addExtra(_ token: String?) {
        if let token, !extraSpecialTokens.contains(token) { extraSpecialTokens.append(token) }
    }

    /// A list of tokens, or an object from names to tokens.
    private mutating func readExtra(_ value: JSONValue?) {
        switch value {
        case .object(let members)?: members.forEach { addExtra(Self.token($0.1)) }
        case .array(let list)?: list.forEach { addExtra(Self.token($0)) }
        default: break
        }
    }

    private mutating func readAddedTokens(_ root: TokenizerCursor) throws(TokenizerError) {
        guard let list = try root.member("added_tokens_decoder") else { return }
        for (name, value) in try list.object() {
            let entry = list.child(name, value)
            guard let id = Int32(name), id >= 0, id < Vocabulary.idLimit else {
                throw entry.failure("expected a token id as key")
            }
            let token = try AddedToken(entry, id: id)
            if !token.content.isEmpty { addedTokens.append(token) }
        }
    }

    /// A template, a list of named ones, or an object from names to templates.
    private mutating func readChatTemplate(_ value: JSONValue?) {
        switch value {
        case .string(let template)?: chatTemplates["default"] = template
        case .array(let list)?:
            for entry in list {
                guard let name = entry["name"]?.stringValue, let template = entry["template"]?.stringValue else {
                    continue
                }
                chatTemplates[name] = template
            }
        case .object(let members)?:
            for (name, template) in members {
                if let template = template.stringValue { chatTemplates[name] = template }
            }
        default: break
        }
    }
}
