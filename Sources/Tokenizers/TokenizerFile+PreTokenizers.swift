internal import JSON

// Pre-tokenizers and decoders of tokenizer.json.
extension TokenizerFile {
    func preTokenizer(_ cursor: TokenizerCursor) throws(TokenizerError) -> PreTokenizer {
        let type = try cursor.required("type")
        switch try type.string() {
        case "Sequence": return .sequence(try Self.list(cursor, "pretokenizers", preTokenizer))
        case "ByteLevel":
            let splits = try cursor.boolean("use_regex", default: true)
            return .byteLevel(
                addsPrefixSpace: try cursor.boolean("add_prefix_space", default: true),
                split: splits ? try Self.regex(cursor, PreTokenizer.gpt2Pattern) : nil)
        case "Split":
            return .split(
                try pattern(cursor), try behavior(cursor.required("behavior")),
                inverted: try cursor.boolean("invert", default: false))
        case "Digits": return .digits(individual: try cursor.boolean("individual_digits", default: false))
        case "Punctuation":
            return .punctuation(try cursor.member("behavior").map(behavior) ?? .isolated)
        case "Whitespace": return .whitespace
        case "WhitespaceSplit": return .whitespaceSplit
        case "BertPreTokenizer": return .bert
        case "Metaspace": return .metaspace(try metaspace(cursor))
        case "CharDelimiterSplit": return .delimiter(try cursor.required("delimiter").scalar())
        case "FixedLength":
            let length = try cursor.member("length")?.count() ?? 5
            if length == 0 { throw cursor.failure("length 0") }
            return .fixedLength(length)
        case let name: throw type.unsupported("pre-tokenizer \"\(name)\"")
        }
    }

    private func behavior(_ cursor: TokenizerCursor) throws(TokenizerError) -> SplitText.Behavior {
        let name = try cursor.string()
        guard let behavior = SplitText.Behavior(rawValue: name) else {
            throw cursor.failure("unknown behavior \"\(name)\"")
        }
        return behavior
    }

    private func metaspace(_ cursor: TokenizerCursor) throws(TokenizerError) -> Metaspace {
        var scheme = Metaspace.PrependScheme.always
        if let stated = try cursor.member("prepend_scheme") {
            guard let known = Metaspace.PrependScheme(rawValue: try stated.string()) else {
                throw stated.failure("unknown scheme \"\(try stated.string())\"")
            }
            scheme = known
        }
        // The older spelling of "never".
        if try cursor.member("add_prefix_space")?.boolean() == false { scheme = .never }
        return Metaspace(
            replacement: try cursor.required("replacement").scalar(), prependScheme: scheme,
            splits: try cursor.boolean("split", default: true))
    }

    func decoder(_ cursor: TokenizerCursor) throws(TokenizerError) -> TokenDecoder {
        let type = try cursor.required("type")
        switch try type.string() {
        case "Sequence": return .sequence(try Self.list(cursor, "decoders", decoder))
        case "ByteLevel": return .byteLevel
        case "ByteFallback": return .byteFallback
        case "Fuse": return .fuse
        case "Strip":
            return .strip(
                try cursor.required("content").scalar(), start: try cursor.required("start").count(),
                stop: try cursor.required("stop").count())
        case "Replace": return .replace(try pattern(cursor), with: Array(try cursor.required("content").string().utf8))
        case "Metaspace": return .metaspace(try metaspace(cursor))
        case "WordPiece":
            return .wordPiece(
                prefix: Array(try cursor.member("prefix")?.string().utf8 ?? "##".utf8),
                cleansUp: try cursor.boolean("cleanup", default: true))
        case "BPEDecoder": return .bpe(suffix: Array(try cursor.member("suffix")?.string().utf8 ?? "</w>".utf8))
        case let name: throw type.unsupported("decoder \"\(name)\"")
        }
    }
}
