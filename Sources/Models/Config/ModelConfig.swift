package import JSON
package import Tensors

/// What every network's configuration says, read from `config.json` or GGUF metadata and checked.
///
/// Every size is positive and bounded, heads divide evenly and products of sizes cannot overflow, so code that builds a
/// model from it needs no checks of its own. Keys that an architecture alone has are read on its page, from `fields`.
package struct ModelConfig: Sendable, Equatable {
    /// `architectures[0]`, or what the GGUF architecture stands for.
    package var architecture: String
    /// `model_type`.
    package var modelType: String

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
    /// Whether the output head is the embedding.
    package var tiesWordEmbeddings: Bool

    /// How positions enter.
    package var rope: RopeConfig
    /// `max_position_embeddings` or the architecture's default.
    package var maxPositionEmbeddings: Int
    /// The context length that the configuration implies, rope factor included.
    package var derivedContextLength: Int

    /// Kinds of tokens that the network tells apart (`type_vocab_size`), for pairs of texts.
    package var tokenTypeCount: Int

    /// `quant_method` of a checkpoint that is quantised in its own way, nil for plain ones.
    package var quantizationMethod: String?
    /// Whether the weights lie in a GGUF file.
    package private(set) var isGGUF = false
    /// How that method stores matrices; nil for plain ones and GGUF files.
    package var storedQuantization: StoredQuantization?
    /// End-of-text ids of both files, ascending.
    package var eosTokenIDs: [Int]
    /// `dtype` or `torch_dtype`; nil when absent or another type.
    package var checkpointDType: DType?

    /// Every member, for the keys that an architecture alone has.
    let fields: ConfigFields
    /// One line each for what was passed over although somebody may have meant it.
    package var warnings: [String] = []

    /// Most positions a context may have.
    static let positionLimit = 1 << 28
    /// Largest width: products of two fit into 2^48.
    static let widthLimit = 1 << 24

    /// Reads the configuration of a model folder or a GGUF file.
    ///
    /// Beside a GGUF file `config.json` and `generation_config.json` count if they exist, else its metadata. The members
    /// of the object `overrides` replace those of the configuration (`--json-model-override-args`).
    package static func load(modelPath: String, overrides: JSONValue? = nil) throws(CheckpointError) -> ModelConfig {
        let source = try ModelConfigSource(modelPath: modelPath)
        return try ModelConfig(source, overrides: overrides)
    }

    /// Reads a configuration that was found, with its members replaced by `overrides`.
    init(_ source: ModelConfigSource, overrides: JSONValue? = nil) throws(CheckpointError) {
        var replacements: [(key: String, value: JSONValue)] = []
        if let overrides {
            guard let members = objectMembers(overrides) else {
                throw .badConfig(file: source.file, key: "--json-model-override-args", reason: "is not a JSON object")
            }
            replacements = members
        }
        let fields = ConfigFields(file: source.file, members: source.members, shownNames: source.shownNames)
        try self.init(fields.replacing(replacements), replacements)
        isGGUF = source.isGGUF
        if let ties = source.tiesWordEmbeddings { tiesWordEmbeddings = ties }
        if quantizationMethod == nil, let fields = source.quantization {
            quantizationMethod = try fields.string("quant_method") ?? "gptq"
            storedQuantization = try StoredQuantization(fields)
        }
        if let extra = source.generation {
            eosTokenIDs = Array(Set(eosTokenIDs).union(try tokenIDs(extra, "eos_token_id"))).sorted()
        }
    }

    /// Reads the members of a configuration; `replacements`, which it has already, also count before those of a part of it.
    init(
        _ given: ConfigFields, _ replacements: [(key: String, value: JSONValue)] = []
    ) throws(CheckpointError) {
        let page = try Architecture.of(given)
        let fields = try (page.isTextPart ? given.flattened("text_config").replacing(replacements) : given)
            .adding(page.defaults.aliases).adding(page.defaults.values)
        self.fields = fields
        architecture = page.name
        modelType = try fields.string("model_type") ?? page.modelType

        hiddenSize = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
        layerCount = try fields.requiredInteger("num_hidden_layers", in: 1...10_000)
        intermediateSize = try fields.requiredInteger("intermediate_size", in: 1...ModelConfig.widthLimit)
        vocabularySize = try fields.requiredInteger("vocab_size", in: 1...ModelConfig.widthLimit)
        let heads = try ModelConfig.heads(fields, hiddenSize: hiddenSize)
        (headCount, keyValueHeadCount, headDimension) = (heads.query, heads.keyValue, heads.dimension)
        normEpsilon = Float(try fields.number("rms_norm_eps", in: 0...1) ?? 1e-6)
        tiesWordEmbeddings = try fields.boolean("tie_word_embeddings") ?? false

        let positions = 1...ModelConfig.positionLimit
        maxPositionEmbeddings =
            try fields.integer("max_position_embeddings", in: positions) ?? page.defaults.maxPositions
        let ropeFields = try RopeFields(fields)
        rope = try ropeFields.rope(
            headDimension: try ModelConfig.fullHead(fields) ?? headDimension, maxPositions: maxPositionEmbeddings,
            defaultTheta: page.defaults.theta)
        derivedContextLength = try ModelConfig.contextLength(fields, factor: ropeFields.contextFactor())
        if page.defaults.padsPositions {
            // Rows of the table of positions up to the padding's stand for no position.
            let padding = try paddedPositions(fields)
            derivedContextLength = max(1, min(derivedContextLength, maxPositionEmbeddings - padding))
        }
        tokenTypeCount = try fields.integer("type_vocab_size", in: 1...1024) ?? 1
        if let warning = ropeFields.warning { warnings.append(warning) }

        let quantization = try fields.object("quantization_config", "compression_config")
        quantizationMethod = try quantization?.string("quant_method")
        if let quantization, let quantizationMethod, quantizationMethod != "gguf" {
            storedQuantization = try StoredQuantization(quantization)
        }
        if storedQuantization == nil, page.defaults.turnsStacks { storedQuantization = .turnedStacks }
        eosTokenIDs = Array(Set(try tokenIDs(fields, "eos_token_id"))).sorted()
        checkpointDType = DType(configName: try fields.string("dtype", "torch_dtype") ?? "")
        try page.check(fields)
        let kinds = ["full_attention", "sliding_attention"]
        if let types = try? fields.strings("layer_types"), !types.allSatisfy(kinds.contains) {
            throw fields.error(
                "layer_types", "names a kind that is not supported; supported: \(kinds.joined(separator: ", "))")
        }
        if page.defaults.passesOverWindows, let warning = try passedOverWindow() { warnings.append(warning) }
    }

    /// One line where the configuration has a window that all layers look past.
    private func passedOverWindow() throws(CheckpointError) -> String? {
        guard try fields.boolean("use_sliding_window") ?? true,
            let window = try fields.integer("sliding_window", in: 0...ModelConfig.positionLimit),
            window < maxPositionEmbeddings
        else { return nil }
        return
            "\(printable(fields.file)): `sliding_window` \(window) is passed over, as by SGLang: every layer sees the whole text"
    }

    /// The rotation of a kind of layer, by its own section of `rope_parameters` if there is one.
    static func rope(
        _ fields: ConfigFields, layers kind: String = "full_attention", theta: Double? = nil
    ) throws(CheckpointError) -> RopeConfig {
        let defaults = try Architecture.of(fields).defaults
        let hidden = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
        let positions = try fields.integer("max_position_embeddings", in: 1...positionLimit) ?? defaults.maxPositions
        let head = try heads(fields, hiddenSize: hidden).dimension
        return try RopeFields(fields, layers: kind).rope(
            headDimension: kind == "full_attention" ? try fullHead(fields) ?? head : head, maxPositions: positions,
            defaultTheta: theta ?? defaults.theta)
    }

    /// Numbers of a head in layers that see the whole text, where they have a size of their own: in one key, or in a list of the
    /// layers that differ, which are those.
    static func fullHead(_ fields: ConfigFields) throws(CheckpointError) -> Int? {
        guard let listed = try fields.object("per_layer_config") else {
            return try fields.integer("global_head_dim", in: 2...4096)
        }
        guard let layer = listed.keys.first else { return nil }
        return try listed.object(layer)?.integer("head_dim", in: 2...4096)
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

    /// The first length key that says one times the rope factor; 2048 when there is none.
    ///
    /// Tools write 10^30 for "no limit", so what is beyond every context says nothing.
    private static func contextLength(_ fields: ConfigFields, factor: Double) throws(CheckpointError) -> Int {
        let keys = ["max_sequence_length", "seq_length", "max_seq_len", "model_max_length", "max_position_embeddings"]
        for key in keys where !fields.exceeds(Double(positionLimit), key) {
            guard let length = try fields.integer(key, in: 1...positionLimit) else { continue }
            return max(1, min(positionLimit, Int(Double(length) * factor)))
        }
        return 2048
    }
}

/// The row of a padded table of positions that position 0 has.
func paddedPositions(_ fields: ConfigFields) throws(CheckpointError) -> Int {
    1 + (try fields.integer("pad_token_id", in: 0...65_536) ?? 1)
}

/// Ids at a key that holds one or a list; a text of digits counts as its number, and negative ones mean "none".
func tokenIDs(_ fields: ConfigFields, _ key: String) throws(CheckpointError) -> [Int] {
    let range = Int(Int32.min)...Int(Int32.max)
    let ids =
        fields.isList(key)
        ? try fields.integers(key, in: range) ?? []
        : try fields.integer(key, in: range, takesText: true).map { [$0] } ?? []
    return ids.filter { $0 >= 0 }
}
