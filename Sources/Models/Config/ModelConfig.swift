package import JSON
package import Tensors

/// Everything about a network's shape and defaults, read from `config.json` or GGUF metadata and checked.
///
/// Every size is positive and bounded, heads divide evenly and products of sizes cannot overflow, so code that builds
/// a model
/// from it needs no checks of its own.
package struct ModelConfig: Sendable, Equatable {
    /// `architectures[0]`, or what the GGUF architecture stands for.
    package var architecture: String
    /// `model_type`.
    package var modelType: String
    /// Which wiring it has.
    package var family: ModelFamily
    /// What it is for.
    package var task: ModelTask

    /// Width of the residual stream.
    package var hiddenSize: Int
    /// Transformer blocks.
    package var layerCount: Int
    /// Width of the gated MLP.
    package var intermediateSize: Int
    /// Rows of embedding and output head.
    package var vocabularySize: Int
    /// Query heads; a multiple of `keyValueHeadCount`.
    package var headCount: Int
    /// Heads of keys and values.
    package var keyValueHeadCount: Int
    /// Numbers in a head.
    package var headDimension: Int
    /// Epsilon of the RMS norms.
    package var normEpsilon: Float
    /// `hidden_act`; always `silu` for the families here.
    package var activation: String

    /// Whether q, k and v have biases.
    package var attentionInputBias: Bool
    /// Whether o has a bias.
    package var attentionOutputBias: Bool
    /// Whether gate, up and down have biases.
    package var mlpBias: Bool
    /// Whether q and k are normalised per head before rotation.
    package var normalizesQueryKey: Bool
    /// Whether the output head is the embedding.
    package var tiesWordEmbeddings: Bool

    /// How positions enter.
    package var rope: RopeConfig
    /// `max_position_embeddings` or the family's default.
    package var maxPositionEmbeddings: Int
    /// The context length that the configuration implies, rope factor included.
    package var derivedContextLength: Int

    /// Window of sliding attention; the families here attend to everything regardless, as the reference server does.
    package var slidingWindow: Int?
    /// Kind of attention by layer, where layers differ.
    package var layerTypes: [String]?
    /// Soft cap of attention scores (Gemma 2).
    package var attentionSoftCap: Double?
    /// Soft cap of logits (Gemma 2).
    package var finalSoftCap: Double?
    /// Factor of the logits (Cohere).
    package var logitScale: Double?
    /// `query_pre_attn_scalar`: attention scores are divided by its root (Gemma).
    package var queryScale: Double?
    /// Class names by class index; empty when the model classifies nothing.
    package var labels: [String]
    /// Embedding sizes that were trained, empty when none are named.
    package var matryoshkaDimensions: [Int]
    /// Whether shorter embeddings are prefixes of the full one.
    package var isMatryoshka: Bool
    /// `quant_method` of a checkpoint that is quantised in its own way, nil for plain ones.
    package var quantizationMethod: String?

    /// Beginning-of-text id.
    package var bosTokenID: Int?
    /// Padding id.
    package var padTokenID: Int?
    /// End-of-text ids of both files, ascending.
    package var eosTokenIDs: [Int]
    /// `dtype` or `torch_dtype`; nil when absent or another type.
    package var checkpointDType: DType?
    /// Request defaults of `generation_config.json`.
    package var generation: GenerationDefaults

    /// Most positions a context may have.
    static let positionLimit = 1 << 28
    /// Largest width: products of two fit into 2^48.
    static let widthLimit = 1 << 24

    /// Reads the configuration of a model folder or a GGUF file.
    ///
    /// Beside a GGUF file `config.json` and `generation_config.json` count if they exist, else its metadata. The
    /// members of the
    /// object `overrides` replace those of the configuration (`--json-model-override-args`).
    package static func load(modelPath: String, overrides: JSONValue? = nil) throws(CheckpointError) -> ModelConfig {
        let source = try ModelConfigSource(modelPath: modelPath)
        return try ModelConfig(source, overrides: overrides)
    }

    /// Reads a configuration that was found, with its members replaced by `overrides`.
    init(_ source: ModelConfigSource, overrides: JSONValue? = nil) throws(CheckpointError) {
        var members = source.members
        if let overrides {
            guard let replacements = objectMembers(overrides) else {
                throw .badConfig(file: source.file, key: "--json-model-override-args", reason: "is not a JSON object")
            }
            members += replacements
        }
        let fields = ConfigFields(file: source.file, members: members, shownNames: source.shownNames)
        try self.init(fields)
        if let ties = source.tiesWordEmbeddings { tiesWordEmbeddings = ties }
        if quantizationMethod == nil { quantizationMethod = source.quantizationMethod }
        if let extra = source.generation {
            generation = try GenerationDefaults(extra)
            eosTokenIDs = Array(Set(eosTokenIDs).union(try tokenIDs(extra, "eos_token_id"))).sorted()
        }
    }

    /// Reads the members of a configuration.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        let architecture = try ModelArchitecture.of(fields)
        let family = architecture.family
        self.architecture = architecture.name
        self.family = family
        task = architecture.task
        modelType = try fields.string("model_type") ?? family.rawValue

        hiddenSize = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
        layerCount = try fields.requiredInteger("num_hidden_layers", in: 1...10_000)
        intermediateSize = try fields.requiredInteger("intermediate_size", in: 1...ModelConfig.widthLimit)
        vocabularySize = try fields.requiredInteger("vocab_size", in: 1...ModelConfig.widthLimit)
        let heads = try ModelConfig.heads(fields, hiddenSize: hiddenSize)
        (headCount, keyValueHeadCount, headDimension) = (heads.query, heads.keyValue, heads.dimension)
        normEpsilon = Float(try fields.number("rms_norm_eps", in: 0...1) ?? 1e-6)
        activation = try fields.string("hidden_act") ?? "silu"
        guard activation == "silu" else {
            let reason = "`\(printable(activation))` is not supported for \(family.rawValue); only silu is"
            throw fields.error("hidden_act", reason)
        }

        let bias = try fields.boolean("attention_bias", "bias") ?? false
        attentionInputBias = family == .qwen2 ? true : bias
        attentionOutputBias = try fields.boolean("attention_output_bias") ?? (family == .qwen2 ? false : bias)
        mlpBias = try fields.boolean("mlp_bias") ?? false
        normalizesQueryKey = family == .qwen3
        tiesWordEmbeddings = try fields.boolean("tie_word_embeddings") ?? false

        let positions = 1...ModelConfig.positionLimit
        maxPositionEmbeddings =
            try fields.integer("max_position_embeddings", in: positions) ?? family.defaultMaxPositions
        let ropeFields = try RopeFields(fields)
        rope = try ropeFields.rope(
            headDimension: headDimension, maxPositions: maxPositionEmbeddings, defaultTheta: family.defaultTheta)
        derivedContextLength = try ModelConfig.contextLength(fields, factor: ropeFields.contextFactor())

        slidingWindow = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit)
        layerTypes = try fields.strings("layer_types")
        attentionSoftCap = try fields.number("attn_logit_softcapping", in: 0...1e9)
        finalSoftCap = try fields.number("final_logit_softcapping", in: 0...1e9)
        logitScale = try fields.number("logit_scale", in: -1e9...1e9)
        queryScale = try fields.number("query_pre_attn_scalar", in: 1e-9...1e9)
        labels = try ModelConfig.labels(fields)
        matryoshkaDimensions = try fields.integers("matryoshka_dimensions", in: 1...(1 << 20)) ?? []
        isMatryoshka = try fields.boolean("is_matryoshka") ?? !matryoshkaDimensions.isEmpty
        let quantization = try fields.object("quantization_config", "compression_config")
        quantizationMethod = try quantization?.string("quant_method")

        bosTokenID = try tokenIDs(fields, "bos_token_id").first
        padTokenID = try tokenIDs(fields, "pad_token_id").first
        eosTokenIDs = Array(Set(try tokenIDs(fields, "eos_token_id"))).sorted()
        checkpointDType = DType(configName: try fields.string("dtype", "torch_dtype") ?? "")
        generation = GenerationDefaults()
    }

    /// Query heads, key-value heads and their dimension.
    private static func heads(
        _ fields: ConfigFields, hiddenSize: Int
    ) throws(CheckpointError) -> (query: Int, keyValue: Int, dimension: Int) {
        let range = 1...65_536
        let query = try fields.requiredInteger("num_attention_heads", in: range)
        let aliases = [
            "n_head_kv", "num_kv_heads", "num_key_value_heads", "multi_query_group_num", "num_attention_groups",
        ]
        let keyValue = try fields.firstInteger(aliases, in: range) ?? query
        guard query % keyValue == 0 else {
            throw fields.error(
                "num_key_value_heads", "\(query) query heads cannot share \(keyValue) key-value heads evenly")
        }
        if let dimension = try fields.integer("head_dim", in: 2...4096) { return (query, keyValue, dimension) }
        guard hiddenSize % query == 0, (2...4096).contains(hiddenSize / query) else {
            throw fields.error(
                "num_attention_heads", "\(query) heads do not divide hidden_size \(hiddenSize) into 2…4096")
        }
        return (query, keyValue, hiddenSize / query)
    }

    /// The first length key that is present times the rope factor; 2048 when there is none.
    private static func contextLength(_ fields: ConfigFields, factor: Double) throws(CheckpointError) -> Int {
        let keys = ["max_sequence_length", "seq_length", "max_seq_len", "model_max_length", "max_position_embeddings"]
        guard let length = try fields.firstInteger(keys, in: 1...positionLimit) else { return 2048 }
        return max(1, min(positionLimit, Int(Double(length) * factor)))
    }

    /// Class names from `id2label`, or numbered ones for `num_labels`.
    private static func labels(_ fields: ConfigFields) throws(CheckpointError) -> [String] {
        let limit = 1 << 20
        guard let map = try fields.object("id2label") else {
            let count = try fields.integer("num_labels", in: 0...limit) ?? 0
            return (0..<count).map { "LABEL_\($0)" }
        }
        var labels = [String?](repeating: nil, count: map.keys.count)
        for key in map.keys {
            guard let index = Int(key), labels.indices.contains(index) else {
                throw map.error(key, "is no class index")
            }
            labels[index] = try map.string(key)
        }
        return labels.enumerated().map { $1 ?? "LABEL_\($0)" }
    }
}

/// Ids at a key that holds one or a list; negative ones mean "none".
func tokenIDs(_ fields: ConfigFields, _ key: String) throws(CheckpointError) -> [Int] {
    let range = Int(Int32.min)...Int(Int32.max)
    let ids =
        fields.isList(key)
        ? try fields.integers(key, in: range) ?? [] : try fields.integer(key, in: range).map { [$0] } ?? []
    return ids.filter { $0 >= 0 }
}
