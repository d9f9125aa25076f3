/// How the vocabulary named by `tokenizer.ggml.pre` wants text normalized and split; the expressions are those of the
/// models' own tokenizer.json.
struct GGUFWordRule {
    var normalizer: Normalizer?
    var preTokenizer: PreTokenizer
    /// Whether whole words that are tokens are taken without merging.
    var ignoresMerges = false

    /// The rule of a name; without a name, or with an unknown one, GPT-2's, as transformers reads such files.
    init(named name: String?, file: String) throws(TokenizerError) {
        do {
            try self.init(named: name ?? "default")
        } catch {
            throw .malformed(file: file, path: "tokenizer.ggml.pre", reason: "regular expression: \(error.reason)")
        }
    }

    private init(named name: String) throws(Regex.SyntaxError) {
        switch name {
        case "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano":
            try self.init(splits: [Self.llama3], ignoresMerges: true)
        case "dbrx", "smaug-bpe", "chatglm-bpe", "glm4":
            try self.init(splits: [Self.llama3])
        case "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "hunyuan":
            try self.init(splits: [Self.qwen2])
            normalizer = .form(.nfc)
        case "stablelm2":
            try self.init(splits: [Self.qwen2])
        case "qwen35":
            try self.init(splits: [Self.qwen35])
            normalizer = .form(.nfc)
        case "tekken":
            try self.init(splits: [Self.tekken], ignoresMerges: true)
        case "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2":
            try self.init(splits: [Self.gpt4o])
        case "deepseek-llm":
            try self.init(splits: [
                #"[\r\n]"#, Self.deepseekLetters, Self.deepseekPunctuation, #"\s+$"#, Self.eastAsian, #"\p{N}+"#,
            ])
        case "deepseek-coder":
            try self.init(splits: [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, Self.eastAsian, #"\p{N}"#])
        case "deepseek-v3", "hunyuan-dense", "joyai-llm":
            try self.init(splits: [#"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+", Self.deepseek3])
        case "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b":
            try self.init(steps: [.digits(individual: true), Self.gpt2()])
        case "falcon":
            try self.init(steps: [
                .punctuation(.contiguous), Self.gpt2(), .digits(individual: false), Self.isolating("[0-9][0-9][0-9]"),
            ])
        case "poro-chat", "bloom", "gpt3-finnish":
            try self.init(splits: [Self.bloom])
        case "viking":
            try self.init(splits: [Self.bloom, #"\p{N}"#])
        default:
            // Also "gpt-2", "mpt", "olmo", "jais" and "smollm": SmolLM's own file splits single digits first, but
            // what SGLang and transformers build from its GGUF does not, and that is what we answer to.
            try self.init(steps: [Self.gpt2()])
        }
    }

    private init(steps: [PreTokenizer]) {
        preTokenizer = .sequence(steps)
    }

    /// Splits at each expression in turn, then spells bytes.
    private init(splits: [String], ignoresMerges: Bool = false) throws(Regex.SyntaxError) {
        var steps: [PreTokenizer] = []
        for expression in splits { steps.append(try Self.isolating(expression)) }
        preTokenizer = .sequence(steps + [.byteLevel(addsPrefixSpace: false, split: nil)])
        self.ignoresMerges = ignoresMerges
    }

    private static func gpt2() throws(Regex.SyntaxError) -> PreTokenizer {
        .byteLevel(addsPrefixSpace: false, split: try Regex(PreTokenizer.gpt2Pattern))
    }

    private static func isolating(_ expression: String) throws(Regex.SyntaxError) -> PreTokenizer {
        .split(.regex(try Regex(expression)), .isolated, inverted: false)
    }
}

// Expressions, as the models publish them.
extension GGUFWordRule {
    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let rest = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let llama3 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"# + rest
    private static let qwen2 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + rest
    private static let qwen35 =
        contractions
        + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let capitals = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    private static let smalls = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    private static let lead = #"[^\r\n\p{L}\p{N}]?"#
    private static let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let tekken = "\(lead)\(capitals)*\(smalls)+|\(lead)\(capitals)+\(smalls)*|\\p{N}" + tail
    private static let gpt4o =
        "\(lead)\(capitals)*\(smalls)+\(contractions)?|\(lead)\(capitals)+\(smalls)*\(contractions)?|\\p{N}{1,3}" + tail
    private static let bloom = " ?[^(\\s|.,!?…。，、।۔،)]+"
    private static let eastAsian = "[一-龥ࠀ-一가-\u{D7FF}]+"
    private static let deepseekPunctuation = "\\s?[!-/:-~！-／：-～‘-‟　-。]+"
    private static let deepseek3 =
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
        + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    /// Letters of scripts with two cases, as DeepSeek lists them.
    private static let deepseekLetters =
        #"\s?["#
        + #"\x{0041}-\x{005A}\x{0061}-\x{007A}\x{00B5}\x{00C0}-\x{00D6}\x{00D8}-\x{00F6}\x{00F8}-\x{01BA}"#
        + #"\x{01BC}-\x{01BF}\x{01C4}-\x{0293}\x{0295}-\x{02AF}\x{0370}-\x{0373}\x{0376}\x{0377}"#
        + #"\x{037B}-\x{037D}\x{037F}\x{0386}\x{0388}-\x{038A}\x{038C}\x{038E}-\x{03A1}\x{03A3}-\x{03F5}"#
        + #"\x{03F7}-\x{0481}\x{048A}-\x{052F}\x{0531}-\x{0556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}"#
        + #"\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}"#
        + #"\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}"#
        + #"\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}"#
        + #"\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}"#
        + #"\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}"#
        + #"\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}"#
        + #"\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}"#
        + #"\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}"#
        + #"\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}"#
        + #"\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}"#
        + #"\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}"#
        + "]+"
}
