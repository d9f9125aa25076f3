import Tensors

extension Architecture {
    /// EmbeddingGemma (Vera et al. 2025, arXiv:2509.20354): the layers of Gemma 3 (arXiv:2503.19786), seeing both ways, most
    /// through a window; a norm before and behind each block, and over each query and key head.
    static let embeddingGemma = Architecture(
        "Gemma3TextModel", modelType: "gemma3_text", defaults: Defaults(theta: 1_000_000, maxPositions: 131_072),
        gguf: nil, answers: .vectors(.rows(.mean), keepsModules: true), isBidirectional: true,
        keys: EmbeddingGemmaKeys.init
    ) { root, keys throws(CheckpointError) in try Sandwich(root, keys.layers(root)) }
}

/// What EmbeddingGemma reads of a configuration beside the common keys; what its layers do not compute is refused.
struct EmbeddingGemmaKeys {
    /// The function on the MLP's gates.
    let function: MLPFunction
    /// Root of what the products of queries and keys are divided by.
    let queryScale: Double
    /// Positions that a layer with a window sees on either side.
    let window: Int
    /// Which layers see a window.
    let layers: LayerKinds
    /// Base of rotation in windows.
    let localTheta: Double

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        guard try fields.boolean("use_bidirectional_attention") ?? false else {
            throw fields.error("use_bidirectional_attention", "only true is supported for this architecture")
        }
        function = try MLPFunction(fields, "hidden_activation", default: "gelu_pytorch_tanh")
        queryScale = try fields.number("query_pre_attn_scalar", in: 1e-3...1e6) ?? 256
        window = (try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit) ?? 4096) / 2
        layers = try LayerKinds(fields, every: "sliding_window_pattern", usual: 6, firstIsFull: false)
        localTheta = try Models.localTheta(fields, "rope_local_base_freq", usual: 10_000)
        guard try fields.boolean("attention_bias") ?? false == false else {
            throw fields.error("attention_bias", "is not supported for this architecture")
        }
        try fields.refuse("attn_logit_softcapping", unless: 0)
    }
    /// The layers that the keys ask for.
    func layers(_ root: ModelScope) throws(CheckpointError) -> SandwichLayers {
        let (plan, config) = (root.plan, root.config)
        var full = try AttentionShape(root)
        (full.scale, full.sight) = (Float(1 / queryScale.squareRoot()), .full)
        var local = full
        local.sight = AttentionSight(before: window, after: window)
        local.rotary = RopeConfig(
            theta: localTheta, scaling: .none, rotaryDimension: config.rope.rotaryDimension)
        var layers = SandwichLayers { [full, local, kinds = self.layers] index in kinds.isFull(index) ? full : local }
        layers.headNorms = .heads(addend: 1)
        layers.normAddend = 1
        layers.mlp.function = function
        layers.embeddingScale = plan.dtype.rounded(Float(Double(config.hiddenSize).squareRoot()))
        layers.cache = try plan.sharedCache(full.heads)
        return layers
    }
}
