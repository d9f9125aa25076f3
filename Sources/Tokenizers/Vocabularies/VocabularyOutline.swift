internal import JSON

/// What stands in for tokenizer.json where there is none: its members but for the lists of the model.
struct VocabularyOutline {
    /// `type` and options; the lists are in the tables.
    var model: JSONObject
    var normalizer: JSONValue = .null
    var preTokenizer: JSONValue = .null
    var decoder: JSONValue = .null
    /// Null where `add_bos_token` and `add_eos_token` of the configuration decide.
    var postProcessor: JSONValue = .null
    var addedTokens: [AddedToken]

    /// The file that would say so.
    func tokenizerFile(_ file: String, tables: TokenizerTables, names: [String: String]) -> TokenizerFile {
        guard case .object(var members) = json else { return TokenizerFile(json, file: file, tables: tables) }
        members[TokenizerFile.namesKey] = .object(
            JSONObject(names.sorted { $0.key < $1.key }.map { ($0, .string($1)) }))
        return TokenizerFile(.object(members), file: file, tables: tables)
    }

    /// The members of tokenizer.json.
    var json: JSONValue {
        var model = model
        // The lists themselves are in the tables.
        model["vocab"] = [:]
        model["merges"] = []
        return [
            "added_tokens": .array(addedTokens.map(Self.json)), "normalizer": normalizer,
            "pre_tokenizer": preTokenizer, "post_processor": postProcessor, "decoder": decoder,
            "model": .object(model),
        ]
    }

    private static func json(_ token: AddedToken) -> JSONValue {
        [
            "id": .int(Int64(token.id)), "content": .string(String(decoding: token.content, as: UTF8.self)),
            "special": .bool(token.isSpecial), "single_word": .bool(token.isSingleWord),
            "lstrip": .bool(token.stripsLeft), "rstrip": .bool(token.stripsRight),
            "normalized": .bool(token.isNormalized),
        ]
    }
}

/// Components as tokenizer.json has them.
enum Component {
    static func normalizers(_ list: [JSONValue]) -> JSONValue {
        ["type": "Sequence", "normalizers": .array(list)]
    }

    static func preTokenizers(_ list: JSONValue...) -> JSONValue {
        ["type": "Sequence", "pretokenizers": .array(list)]
    }

    static func decoders(_ list: [JSONValue]) -> JSONValue {
        ["type": "Sequence", "decoders": .array(list)]
    }

    static func replace(_ text: String, with content: String) -> JSONValue {
        ["type": "Replace", "pattern": ["String": .string(text)], "content": .string(content)]
    }

    static func replace(expression: String, with content: String) -> JSONValue {
        ["type": "Replace", "pattern": ["Regex": .string(expression)], "content": .string(content)]
    }

    static func split(expression: String) -> JSONValue {
        [
            "type": "Split", "pattern": ["Regex": .string(expression)], "behavior": "Isolated", "invert": false,
        ]
    }

    static func metaspace(_ scheme: Metaspace.PrependScheme, splits: Bool) -> JSONValue {
        [
            "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": .string(scheme.rawValue),
            "split": .bool(splits),
        ]
    }

    static func byteLevel(addsPrefixSpace: Bool, splits: Bool) -> JSONValue {
        ["type": "ByteLevel", "add_prefix_space": .bool(addsPrefixSpace), "use_regex": .bool(splits)]
    }

    static func bertNormalizer(_ options: VocabularyOptions) -> JSONValue {
        [
            "type": "BertNormalizer", "clean_text": true, "lowercase": .bool(options.lowercases ?? true),
            "handle_chinese_chars": .bool(options.isolatesIdeographs ?? true),
            "strip_accents": options.stripsAccents.map { .bool($0) } ?? .null,
        ]
    }

    /// BERT's frame: each text ends with `end`; the second one has the other token type.
    static func bertTemplate(_ start: (String, Int32), _ end: (String, Int32)) -> JSONValue {
        let single = [special(start.0, 0), sequence("A", 0), special(end.0, 0)]
        return template(single, pair: single + [sequence("B", 1), special(end.0, 1)], [start, end])
    }

    /// XLM-RoBERTa's frame: two ends between the texts, one token type.
    static func robertaTemplate(_ start: (String, Int32), _ end: (String, Int32)) -> JSONValue {
        let single = [special(start.0, 0), sequence("A", 0), special(end.0, 0)]
        return template(single, pair: single + [special(end.0, 0), sequence("B", 0), special(end.0, 0)], [start, end])
    }

    /// T5's frame: each text ends with `end`.
    static func endedTemplate(_ end: (String, Int32)) -> JSONValue {
        let single = [sequence("A", 0), special(end.0, 0)]
        return template(single, pair: single + [sequence("B", 0), special(end.0, 0)], [end])
    }

    private static func template(
        _ single: [JSONValue], pair: [JSONValue], _ tokens: [(String, Int32)]
    ) -> JSONValue {
        let entries = tokens.map { ($0.0, JSONValue.object(["ids": [.int(Int64($0.1))]])) }
        return [
            "type": "TemplateProcessing", "single": .array(single), "pair": .array(pair),
            "special_tokens": .object(JSONObject(entries)),
        ]
    }

    private static func special(_ token: String, _ type: Int64) -> JSONValue {
        ["SpecialToken": ["id": .string(token), "type_id": .int(type)]]
    }

    private static func sequence(_ name: String, _ type: Int64) -> JSONValue {
        ["Sequence": ["id": .string(name), "type_id": .int(type)]]
    }
}
