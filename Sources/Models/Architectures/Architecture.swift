import JSON

/// An architecture: what its checkpoints are called, what of their configuration is its own, and how it is wired.
///
/// Each has a page in this folder; `all` lists them, and nothing else in the program knows one by name.
package struct Architecture: Sendable {
    /// What a key is when the configuration does not have it.
    struct Defaults: Sendable {
        /// `rope_theta`.
        var theta = 10_000.0
        /// `max_position_embeddings`.
        var maxPositions: Int
        /// Whether position 0 has the row behind the padding's of a table of positions.
        var padsPositions = false
        /// Whether a window (`sliding_window`) is passed over, as by the reference server.
        var passesOverWindows = false
        /// Whether stacks of experts in plain numbers have the inputs first.
        var turnsStacks = false
        /// What further keys are.
        var values: [String: JSONValue] = [:]
        /// Other keys that count where the usual ones, which come first, are absent.
        var aliases: [String: String] = [:]
    }

    /// As `architectures[0]` of config.json has it.
    private(set) var name: String
    /// As `model_type` has it, which counts where `architectures` is absent.
    private(set) var modelType: String
    /// What common keys are when they are absent.
    let defaults: Defaults
    /// What its GGUF files call things; nil where llama.cpp has no name of its own for it.
    private(set) var gguf: GGUFDialect?
    /// What it answers with.
    private(set) var answers: Answers
    /// Whether a token sees those behind it.
    let isBidirectional: Bool
    /// Where the output's projection stands, for those that predict tokens.
    var headName = "lm_head"
    /// Whether its configuration is the part `text_config` of one of a network that sees images too.
    private(set) var isTextPart = false
    /// Reads the keys that are its own; throws for a value that it cannot compute, with the key's name.
    let check: @Sendable (ConfigFields) throws(CheckpointError) -> Void
    /// Builds the network's layers from the places of its tensors in the checkpoint.
    let network: @Sendable (ModelScope) throws(CheckpointError) -> any Network

    /// Enters an architecture, with `keys` as what its page reads of the configuration.
    init<Keys>(
        _ name: String, modelType: String, defaults: Defaults, gguf: GGUFDialect?, answers: Answers = .tokens,
        isBidirectional: Bool = false,
        keys: @escaping @Sendable (ConfigFields) throws(CheckpointError) -> Keys,
        network: @escaping @Sendable (ModelScope, Keys) throws(CheckpointError) -> any Network
    ) {
        self.name = name
        self.modelType = modelType
        self.defaults = defaults
        self.gguf = gguf
        self.answers = answers
        self.isBidirectional = isBidirectional
        check = { fields throws(CheckpointError) in _ = try keys(fields) }
        self.network = { root throws(CheckpointError) in try network(root, keys(root.config.fields)) }
    }

    /// The same network under another name, with other answers.
    func named(_ name: String, _ answers: Answers) -> Architecture {
        var other = self
        (other.name, other.answers, other.gguf) = (name, answers, nil)
        return other
    }

    /// The same network inside one that sees images too, which are passed over.
    func textPart(of name: String, modelType: String) -> Architecture {
        var other = named(name, answers)
        (other.modelType, other.isTextPart) = (modelType, true)
        return other
    }

    /// Every architecture that can be loaded; of those with one model type the first is meant where no name is given.
    static let all: [Architecture] = decoders + textParts + decoders.flatMap(\.withOtherHeads) + encoders

    /// Those that predict tokens.
    static let decoders: [Architecture] = [
        .llama, .mistral, .qwen2, .qwen3, .qwen2Moe, .qwen3Moe, .mixtral, .internLM2, .gemma2, .gemma3, .gemma4, .phi3,
        .smolLM3,
        .olmo2, .olmo3, .olmoe, .exaone4, .granite, .graniteMoe, .cohere, .cohere2, .glm4, .starcoder2, .stableLM,
        .seedOSS, .ernie45,
        .ministral3, .glm4Moe, .ernie45Moe, .gptOss,
    ]

    /// Those that predict tokens and are a part of networks that see images too.
    static let textParts: [Architecture] = [
        gemma3.textPart(of: "Gemma3ForConditionalGeneration", modelType: "gemma3"),
        gemma4.textPart(of: "Gemma4ForConditionalGeneration", modelType: "gemma4"),
        ministral3.textPart(of: "Mistral3ForConditionalGeneration", modelType: "mistral3"),
    ]

    /// The names of all, in alphabetical order.
    package static var names: [String] { all.map(\.name).sorted() }

    /// Finds the architecture of a configuration: `architectures[0]`, else by `model_type`.
    static func of(_ fields: ConfigFields) throws(CheckpointError) -> Architecture {
        let modelType = try fields.string("model_type")
        let name = try fields.strings("architectures")?.first
        guard let wanted = name ?? modelType else { throw fields.error("architectures", "is absent") }
        let found = all.first { name != nil ? $0.name == wanted : $0.modelType == wanted }
        guard let found else { throw .unsupportedArchitecture(file: fields.file, name: wanted, supported: names) }
        return found
    }

    /// The architecture that llama.cpp calls so, where the file has experts one with experts, if there is one; nil when there is
    /// none.
    static func of(gguf name: String, hasExperts: Bool) -> Architecture? {
        let named = all.filter { $0.gguf?.name == name }
        return named.first { ($0.gguf?.experts != nil) == hasExperts } ?? named.first
    }

    /// Those that see texts both ways.
    static let encoders: [Architecture] =
        bertKin + xlmRobertaKin + mpnetKin + [nomicBert] + modernBertKin + [embeddingGemma]

    /// The names of its kin with other heads: vectors, classes and rewards.
    private var withOtherHeads: [Architecture] {
        let family = String(name.dropLast("ForCausalLM".count))
        var kin = [
            named(family + "Model", .vectors(.last)),
            named(family + "ForSequenceClassification", .classes("score", count: labelCount)),
        ]
        switch family {
        case "Llama":
            kin.append(named("LlamaEmbeddingModel", .vectors(.last)))
            kin.append(
                named(
                    "LlamaForClassification",
                    .classes("classification_head") { fields throws(CheckpointError) in
                        try fields.requiredInteger("classification_out_size", in: 1...65_536)
                    }))
            kin.append(named("LlamaForSequenceClassificationWithNormal_Weights", .weighedAttributes))
        case "Qwen2", "Qwen3": kin.append(named(family + "ForRewardModel", .reward))
        case "InternLM2":
            kin.append(named("InternLM2ForRewardModel", .classes("v_head") { _ throws(CheckpointError) in 1 }))
        default: break
        }
        return kin
    }

    /// The names under which GGUF files may state their architecture, in alphabetical order.
    static var ggufNames: [String] { Set(all.compactMap { $0.gguf?.name }).sorted() }
}

/// Turns rows of tokens into rows of hidden states. What surrounds it (cache, scratch memory, heads) is the same for
/// every network.
protocol Network {
    /// The table of token vectors, which a head may share.
    var embedding: VocabEmbedding { get }
    /// The norm behind the last layer; nil where the last layer ends in one.
    var norm: (any RowNorm)? { get }

    /// Positions that it has a table for; nil where they are only turned.
    var positionLimit: Int? { get }
    /// What becomes of its logits.
    var logitTerms: LogitTerms { get }

    /// Carries the step's rows from token ids to the residual stream after the last layer, which may drop rows that
    /// nobody wants an answer for.
    func forward(_ step: inout Step)
}

extension Network {
    /// No limit.
    var positionLimit: Int? { nil }
    /// They stay.
    var logitTerms: LogitTerms { LogitTerms() }
}
