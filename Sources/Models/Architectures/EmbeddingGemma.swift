import Tensors

extension Architecture {
    /// EmbeddingGemma (Vera et al. 2025, arXiv:2509.20354): the layers of Gemma 3 (arXiv:2503.19786), seeing both ways, most
    /// through a window; a norm before and behind each block, and over each query and key head.
    static let embeddingGemma = Architecture(
        "Gemma3TextModel", modelType: "gemma3_text", defaults: Defaults(theta: 1_000_000, maxPositions: 131_072),
        gguf: nil, answers: .vectors(.rows(.mean), keepsModules: true), isBidirectional: true,
        keys: EmbeddingGemmaKeys.init
    ) { root, keys throws(CheckpointError) in try Gemma3(root, keys) }
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
}

/// Layers with norms on both sides of each block.
struct Gemma3: Network {
    /// One block: attention and gated MLP, each between two norms and added to the residual stream.
    struct Layer {
        let inputNorm: RMSNorm
        let attention: Attention
        let postAttentionNorm: RMSNorm
        let preMLPNorm: RMSNorm
        let mlp: GatedMLP
        let postMLPNorm: RMSNorm

        /// Takes the tensors under `layers.N`.
        init(
            _ scope: ModelScope, _ shape: AttentionShape, layer: Int, cache: CacheID, _ function: MLPFunction
        ) throws(CheckpointError) {
            inputNorm = try RMSNorm(scope.at("input_layernorm"), addend: 1)
            attention = try Attention(
                scope.at("self_attn"), shape, layer: layer, normalizesHeads: true, normAddend: 1, cache: cache)
            postAttentionNorm = try RMSNorm(scope.at("post_attention_layernorm"), addend: 1)
            preMLPNorm = try RMSNorm(scope.at("pre_feedforward_layernorm"), addend: 1)
            mlp = try GatedMLP(scope.at("mlp"), function)
            postMLPNorm = try RMSNorm(scope.at("post_feedforward_layernorm"), addend: 1)
            scope.plan.reserve(.branch, floats: scope.config.hiddenSize)
        }

        /// Advances the residual stream.
        func forward(_ step: inout Step) {
            inputNorm(step.residual, into: step.normed, step)
            attention.attend(step.normed, &step)
            step.addBranch(postAttentionNorm) { branch, step in
                attention.output(step.attended, addingTo: branch, step)
            }
            preMLPNorm(step.residual, into: step.normed, step)
            step.addBranch(postMLPNorm) { branch, step in mlp(step.normed, addingTo: branch, step) }
        }
    }

    let embedding: VocabEmbedding
    let scale: Float
    let layers: [Layer]
    let norm: (any RowNorm)?

    /// Takes every tensor but a head's.
    init(_ root: ModelScope, _ keys: EmbeddingGemmaKeys) throws(CheckpointError) {
        let (plan, config) = (root.plan, root.config)
        embedding = try VocabEmbedding(root.at("model.embed_tokens"))
        scale = plan.dtype.rounded(Float(Double(config.hiddenSize).squareRoot()))
        var full = try AttentionShape(root)
        (full.scale, full.sight) = (Float(1 / keys.queryScale.squareRoot()), .full)
        var local = full
        local.sight = AttentionSight(before: keys.window, after: keys.window)
        local.rotary = RopeConfig(
            theta: keys.localTheta, scaling: .none, rotaryDimension: config.rope.rotaryDimension)
        let cache = try plan.sharedCache(full.heads)
        layers = try root.layers("model.layers") { [full, local] scope, index throws(CheckpointError) in
            try Layer(
                scope, keys.layers.isFull(index) ? full : local, layer: index, cache: cache, keys.function)
        }
        norm = try RMSNorm(root.at("model.norm"), addend: 1)
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, scale: scale, step)
        for layer in layers { layer.forward(&step) }
    }
}
