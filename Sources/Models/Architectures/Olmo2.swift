import JSON
import Tensors

extension Architecture {
    /// OLMo 2: norms behind the blocks instead of before them, and over all queries and all keys of a row.
    ///
    /// Walsh et al. 2025 (arXiv:2501.00656).
    static let olmo2 = Architecture(
        "Olmo2ForCausalLM", modelType: "olmo2", defaults: Defaults(theta: 500_000, maxPositions: 2048),
        gguf: GGUFDialect(
            "olmo2", modules: postNormModules,
            keys: [
                "sliding_window": "attention.sliding_window",
                "sliding_window_layers": "attention.sliding_window_pattern",
            ],
            implied: { fields throws(CheckpointError) in try fields.impliedLayerTypes() }),
        keys: { fields throws(CheckpointError) in try OlmoKeys(fields, window: nil) }
    ) { root, keys throws(CheckpointError) in
        try PostNorm(root, keys.layers(root))
    }

    /// OLMo 3: OLMo 2's layers, three of four with a window, which rotate without scaling. Its GGUF files call themselves olmo2.
    static let olmo3 = Architecture(
        "Olmo3ForCausalLM", modelType: "olmo3", defaults: Defaults(theta: 500_000, maxPositions: 2048), gguf: nil,
        keys: { fields throws(CheckpointError) in try OlmoKeys(fields, window: 4096) }
    ) { root, keys throws(CheckpointError) in
        try PostNorm(root, keys.layers(root))
    }

    /// What blocks with norms behind them have besides.
    static let postNormModules = [
        "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
        "post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm",
    ]
}

/// What OLMo 2 and 3 read of a configuration beside the common keys.
private struct OlmoKeys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    /// Positions that a layer with a window sees, its own included; nil where none has one.
    let window: Int?
    /// Which layers see a window.
    let kinds: LayerKinds
    /// Rotation in windows.
    let localRope: RopeConfig

    /// Reads the keys, with a window where they name none.
    init(_ fields: ConfigFields, window usual: Int?) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        window = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit) ?? usual
        kinds = try LayerKinds(fields, every: "sliding_window_pattern", usual: 4, firstIsFull: false)
        localRope = try fields.localRope("rope_theta", usual: 500_000)
    }

    /// The layers that the keys ask for.
    func layers(_ root: ModelScope) throws(CheckpointError) -> LlamaLayers {
        var layers = try LlamaLayers(root, llama)
        layers.headNorms = .rows
        guard let window else { return layers }
        var local = layers.attention.sliding(window)
        local.rotary = localRope
        layers.attentionOfLayer = { [full = layers.attention, local, kinds] in kinds.isFull($0) ? full : local }
        return layers
    }
}

/// Layers whose blocks take the residual stream as it is, and are normalised before they are added to it.
struct PostNorm: Network {
    /// One block: attention and gated MLP, each with a norm behind it.
    struct Layer {
        let attention: Attention
        let attentionNorm: RMSNorm
        let mlp: any FeedForward
        let mlpNorm: RMSNorm

        /// Advances the residual stream.
        func forward(_ step: inout Step) {
            step.convertResidual()
            attention.attend(step.normed, &step)
            step.addBranch(attentionNorm) { branch, step in
                attention.output(step.attended, addingTo: branch, step)
            }
            step.convertResidual()
            step.addBranch(mlpNorm) { branch, step in mlp(step.normed, addingTo: branch, step) }
        }
    }

    let embedding: VocabEmbedding
    let layers: [Layer]
    let norm: (any RowNorm)?

    /// Takes every tensor but the output head's.
    init(_ root: ModelScope, _ kind: LlamaLayers) throws(CheckpointError) {
        embedding = try VocabEmbedding(root.at("model.embed_tokens"))
        layers = try root.layers("model.layers") { scope, index throws(CheckpointError) in
            scope.plan.reserve(.branch, floats: scope.config.hiddenSize)
            return Layer(
                attention: try kind.attention(scope.at("self_attn"), layer: index),
                attentionNorm: try RMSNorm(scope.at("post_attention_layernorm")),
                mlp: try kind.feedForward(scope, layer: index),
                mlpNorm: try RMSNorm(scope.at("post_feedforward_layernorm")))
        }
        norm = try RMSNorm(root.at("model.norm"))
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        for layer in layers { layer.forward(&step) }
    }
}
