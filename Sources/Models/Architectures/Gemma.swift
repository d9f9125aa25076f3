import JSON
import Tensors

extension Architecture {
    /// Gemma 2: norms on both sides of each block, every other layer with a window, caps on scores and logits.
    ///
    /// Riviere et al. 2024 (arXiv:2408.00118).
    static let gemma2 = Architecture(
        "Gemma2ForCausalLM", modelType: "gemma2",
        defaults: Defaults(
            maxPositions: 8192,
            values: [
                "tie_word_embeddings": true, "head_dim": 256, "attn_logit_softcapping": 50,
                "final_logit_softcapping": 30,
            ]),
        gguf: GGUFDialect(
            "gemma2", modules: gemmaModules, addsOneToNorms: true,
            keys: [
                "sliding_window": "attention.sliding_window", "attn_logit_softcapping": "attn_logit_softcapping",
                "final_logit_softcapping": "final_logit_softcapping",
            ], implied: { fields throws(CheckpointError) in try impliedScale(fields, wideLayers: 46) }),
        keys: { fields throws(CheckpointError) in try GemmaKeys(fields, fullEvery: 2) }
    ) { root, keys throws(CheckpointError) in
        try Sandwich(root, keys.layers(root))
    }

    /// Gemma 3, alone or as the text tower of a checkpoint that also sees images: norms over each query and key head, and five
    /// layers with a window, and a rotation of their own, to one without.
    ///
    /// Kamath et al. 2025 (arXiv:2503.19786).
    static let gemma3 = Architecture(
        "Gemma3ForCausalLM", modelType: "gemma3_text", defaults: gemma3Defaults,
        gguf: GGUFDialect(
            "gemma3",
            modules: gemmaModules.merging(
                ["attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"]
            ) { $1 }, addsOneToNorms: true,
            keys: [
                "sliding_window": "attention.sliding_window", "rope_local_base_freq": "rope.freq_base_swa",
                "final_logit_softcapping": "final_logit_softcapping",
            ], implied: { fields throws(CheckpointError) in try impliedScale(fields, wideLayers: 62) }),
        keys: { fields throws(CheckpointError) in try GemmaKeys(fields, fullEvery: 6) }
    ) { root, keys throws(CheckpointError) in
        root.plan.passOver(
            "vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.")
        var layers = try keys.layers(root)
        layers.headNorms = .heads(addend: 1)
        return try Sandwich(root, layers)
    }

    /// Published files leave out what is as in transformers.
    private static let gemma3Defaults = Defaults(
        theta: 1_000_000, maxPositions: 131_072,
        values: [
            "tie_word_embeddings": true, "head_dim": 256, "num_attention_heads": 8, "num_key_value_heads": 4,
            "vocab_size": 262_208, "max_position_embeddings": 131_072,
        ])

    /// Files do not say the scale of queries: that of heads, but in the largest network, which has so many layers.
    private static func impliedScale(
        _ fields: ConfigFields, wideLayers: Int
    ) throws(CheckpointError) -> [String: JSONValue] {
        let layers = try fields.integer("num_hidden_layers", in: 1...10_000)
        let heads = try fields.requiredInteger("num_attention_heads", in: 1...65_536)
        let share = try fields.requiredInteger("hidden_size", in: 1...(1 << 20)) / heads
        let size = try fields.integer("head_dim", in: 1...4096) ?? share
        return ["query_pre_attn_scalar": .int(Int64(layers == wideLayers ? share : size))]
    }

    /// What Gemma's blocks have besides.
    private static let gemmaModules = [
        "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
        "post_ffw_norm": "post_feedforward_layernorm",
    ]
}

/// What Gemma 2 and 3 read of a configuration beside the common keys.
struct GemmaKeys {
    /// The function on the MLP's gates.
    let function: MLPFunction
    /// Root of what the products of queries and keys are divided by.
    let queryScale: Double
    /// Positions that a layer with a window sees, its own included.
    let window: Int
    /// Which layers see a window.
    let kinds: LayerKinds
    /// Whether attention's projections have biases.
    let attentionBias: Bool
    /// Caps on scores and on logits.
    let caps: (scores: Float?, logits: Float?)
    /// Rotation in windows.
    let localRope: RopeConfig

    /// Reads the keys; without a list every `fullEvery`th layer sees everything.
    init(_ fields: ConfigFields, fullEvery: Int) throws(CheckpointError) {
        try fields.refuseTrue("use_bidirectional_attention")
        function = try MLPFunction(fields, "hidden_activation", default: "gelu_pytorch_tanh")
        queryScale = try fields.number("query_pre_attn_scalar", in: 1e-3...1e6) ?? 256
        window = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit) ?? 4096
        kinds = try LayerKinds(fields, every: "sliding_window_pattern", usual: fullEvery, firstIsFull: false)
        attentionBias = try fields.boolean("attention_bias") ?? false
        caps = (try fields.cap("attn_logit_softcapping"), try fields.cap("final_logit_softcapping"))
        localRope = try fields.localRope("rope_local_base_freq", usual: fullEvery == 2 ? nil : 10_000)
    }

    /// The layers that the keys ask for.
    func layers(_ root: ModelScope) throws(CheckpointError) -> SandwichLayers {
        var full = try AttentionShape(root)
        full.scale = Float(1 / queryScale.squareRoot())
        full.sight.softCap = caps.scores
        var local = full.sliding(window)
        local.rotary = localRope
        var layers = SandwichLayers { [full, local, kinds] index in kinds.isFull(index) ? full : local }
        layers.biases = (attentionBias, attentionBias)
        layers.normAddend = 1
        layers.mlp.function = function
        layers.embeddingScale = root.plan.dtype.rounded(Float(Double(root.config.hiddenSize).squareRoot()))
        layers.logitTerms.cap = caps.logits
        return layers
    }
}

extension ConfigFields {
    /// A cap on numbers; nil where there is none, or 0.
    func cap(_ key: String) throws(CheckpointError) -> Float? {
        try number(key, in: 0...1e6).flatMap { $0 > 0 ? Float($0) : nil }
    }
}
