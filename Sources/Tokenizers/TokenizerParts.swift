/// Everything a tokenizer consists of, wherever it was read from.
struct TokenizerParts: Sendable {
    var normalizer: Normalizer?
    var preTokenizer: PreTokenizer?
    var model: SubwordModel
    var addedTokens: [AddedToken]
    /// Nil if the source says nothing, so that `add_bos_token` of the configuration decides.
    var postProcessor: PostProcessor?
    var decoder: TokenDecoder?
    /// How inputs are cut.
    var inputRules = InputRules()
}
