internal import JSON

/// What tokenizer_config.json says of a vocabulary that no tokenizer.json describes; every field may be missing.
struct VocabularyOptions: Sendable {
    /// `tokenizer_class`, without its "Fast".
    var tokenizerClass: String?
    /// `do_lower_case`.
    var lowercases: Bool?
    /// `strip_accents`.
    var stripsAccents: Bool?
    /// `tokenize_chinese_chars`.
    var isolatesIdeographs: Bool?
    /// `keep_accents`.
    var keepsAccents: Bool?
    /// `split_by_punct`.
    var splitsPunctuation: Bool?
    /// `legacy`: a space is put in front of each stretch of text between added tokens, not only of the first.
    var isLegacy: Bool?
    /// `add_prefix_space`.
    var addsPrefixSpace: Bool?
    /// `extra_ids`: how many sentinels follow T5's vocabulary.
    var extraIDs: Int?

    /// Takes what a file says; what has another type counts as missing.
    mutating func read(_ root: TokenizerCursor) throws(TokenizerError) {
        func flag(_ key: String) throws(TokenizerError) -> Bool? { try root.member(key)?.value.boolValue }
        if let name = try root.member("tokenizer_class")?.value.stringValue {
            tokenizerClass = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
        }
        lowercases = try flag("do_lower_case") ?? lowercases
        stripsAccents = try flag("strip_accents") ?? stripsAccents
        isolatesIdeographs = try flag("tokenize_chinese_chars") ?? isolatesIdeographs
        keepsAccents = try flag("keep_accents") ?? keepsAccents
        splitsPunctuation = try flag("split_by_punct") ?? splitsPunctuation
        isLegacy = try flag("legacy") ?? isLegacy
        addsPrefixSpace = try flag("add_prefix_space") ?? addsPrefixSpace
        extraIDs = try root.member("extra_ids")?.value.intValue ?? extraIDs
    }
}
