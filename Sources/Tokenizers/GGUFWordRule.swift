/// What the name in `tokenizer.ggml.pre` says of a byte-level vocabulary beyond the file's keys: how text is split into words,
/// and what llama.cpp, whose files these are, derives from the name besides.
struct GGUFWordRule {
    /// A step of splitting text into words.
    enum Step {
        /// At each match of an expression.
        case expression(String)
        /// At digits, one by one or in runs.
        case digits(individual: Bool)
        /// At runs of punctuation.
        case punctuation
        /// As GPT-2 does it.
        case gpt2
    }

    var steps: [Step]
    var normalizer: Normalizer?
    /// Whether whole words that are tokens are taken without merging.
    var ignoresMerges = false
    /// Whether a prompt begins with the begin-of-text token where the file does not say.
    var addsBOS = false

    /// GPT-2's rule, which transformers takes for every file of this kind.
    static let fallback = GGUFWordRule(steps: [.gpt2])

    /// The rule of a name, nil for one that is not known.
    init?(named name: String) {
        guard
            let rule = Self.withBeginOfText(name) ?? Self.likeQwen(name) ?? Self.byExpressions(name)
                ?? Self.likeGPT2(name)
        else { return nil }
        self = rule
    }

    private init(steps: [Step]) { self.steps = steps }

    /// Splits at each expression in turn.
    private init(_ expressions: String..., ignoresMerges: Bool = false, addsBOS: Bool = false) {
        steps = expressions.map(Step.expression)
        self.ignoresMerges = ignoresMerges
        self.addsBOS = addsBOS
    }

    /// The steps as a pre-tokenizer that spells bytes at the end.
    func preTokenizer(file: String) throws(TokenizerError) -> PreTokenizer {
        do throws(Regex.SyntaxError) {
            var list: [PreTokenizer] = []
            for step in steps { list.append(try Self.preTokenizer(step)) }
            let spells = steps.contains { if case .gpt2 = $0 { true } else { false } }
            return .sequence(spells ? list : list + [.byteLevel(addsPrefixSpace: false, split: nil)])
        } catch {
            throw .malformed(file: file, path: "tokenizer.ggml.pre", reason: "regular expression: \(error.reason)")
        }
    }

    private static func preTokenizer(_ step: Step) throws(Regex.SyntaxError) -> PreTokenizer {
        switch step {
        case .expression(let text): .split(.regex(try Regex(text)), .isolated, inverted: false)
        case .digits(let individual): .digits(individual: individual)
        case .punctuation: .punctuation(.contiguous)
        case .gpt2: .byteLevel(addsPrefixSpace: false, split: try Regex(PreTokenizer.gpt2Pattern))
        }
    }
}

// The names, as llama.cpp knows them.
extension GGUFWordRule {
    private static func withBeginOfText(_ name: String) -> GGUFWordRule? {
        switch name {
        case "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano":
            return GGUFWordRule(llama3, ignoresMerges: true, addsBOS: true)
        case "tekken": return GGUFWordRule(tekken, ignoresMerges: true, addsBOS: true)
        case "chameleon":
            var rule = GGUFWordRule(
                "<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", #"([\t\n]|    |  )"#, #"\p{N}"#,
                #"[\p{P}!-/:-@\[-`{-~]"#, addsBOS: true)
            rule.steps.append(.gpt2)
            return rule
        default: return nil
        }
    }

    private static func likeQwen(_ name: String) -> GGUFWordRule? {
        var rule: GGUFWordRule
        switch name {
        case "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "hunyuan": rule = GGUFWordRule(qwen2)
        case "qwen35": rule = GGUFWordRule(qwen35)
        case "stablelm2", "solar-open", "grok-2": return GGUFWordRule(qwen2)
        case "laguna": return GGUFWordRule(#"[^\n]+|[\n]+"#, qwen2)
        case "ufakzeka": return GGUFWordRule(qwen2Words)
        default: return nil
        }
        rule.normalizer = .form(.nfc)
        return rule
    }

    private static func byExpressions(_ name: String) -> GGUFWordRule? {
        switch name {
        case "dbrx", "smaug-bpe", "chatglm-bpe", "glm4": GGUFWordRule(llama3)
        case "jais-2": GGUFWordRule(jais2)
        case "minicpm5": GGUFWordRule(#"\p{N}{1,3}"#, minicpm5, ignoresMerges: true)
        case "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2": GGUFWordRule(gpt4o)
        case "granite-embed-multi-97m": GGUFWordRule(gpt4o, ignoresMerges: true)
        case "tiny_aya", "cohere2moe": GGUFWordRule(#"\d{1,3}(?=(?:\d{3})*\b)"#, gpt4o)
        case "youtu": GGUFWordRule(youtuScripts, youtu, ignoresMerges: true)
        case "superbpe": GGUFWordRule(#"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#)
        case "bailingmoe", "bailingmoe2", "llada-moe": GGUFWordRule(bailing)
        case "seed-coder": GGUFWordRule(seedCoder)
        case "exaone-moe": GGUFWordRule(exaoneMoE)
        case "deepseek-llm":
            GGUFWordRule(#"[\r\n]"#, deepseekLetters, deepseekPunctuation, #"\s+$"#, eastAsian, #"\p{N}+"#)
        case "deepseek-coder": GGUFWordRule(#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, eastAsian, #"\p{N}"#)
        case "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4":
            GGUFWordRule(#"\p{N}{1,3}"#, deepseek3Scripts, deepseek3)
        case "spark2_5": GGUFWordRule(#"\p{N}{1,3}"#, deepseek3Scripts, spark, #"\p{N}"#)
        case "poro-chat", "bloom", "gpt3-finnish": GGUFWordRule(bloom)
        case "viking": GGUFWordRule(bloom, #"\p{N}"#)
        default: nil
        }
    }

    private static func likeGPT2(_ name: String) -> GGUFWordRule? {
        switch name {
        case "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2":
            GGUFWordRule(steps: [.digits(individual: true), .gpt2])
        case "falcon":
            GGUFWordRule(steps: [.punctuation, .gpt2, .digits(individual: false), .expression("[0-9][0-9][0-9]")])
        // SmolLM's own file splits single digits first, but what SGLang and transformers build from its GGUF does not, and
        // that is what we answer to.
        case "default", "gpt-2", "mpt", "olmo", "jais", "smollm", "phi-2", "trillion", "granite-docling", "exaone4",
            "gigachat", "a.x-4.0", "mellum", "modern-bert", "roberta-bpe", "jina-es", "jina-de", "jina-v1-en",
            "jina-v2-es", "jina-v2-de", "jina-v2-code":
            fallback
        default: nil
        }
    }
}
