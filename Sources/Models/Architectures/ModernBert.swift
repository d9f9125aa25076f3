import Tensors

extension Architecture {
    /// ModernBERT (Warner et al. 2024, arXiv:2412.13663): pre-norm layers with rotary positions and a gated MLP, of which most
    /// see a window and every third the whole text.
    static let modernBertKin: [Architecture] = {
        let modern = Architecture(
            "ModernBertModel", modelType: "modernbert", defaults: Defaults(theta: 160_000, maxPositions: 8192),
            gguf: nil, answers: .vectors(.rows(.mean)), isBidirectional: true, keys: ModernBertKeys.init
        ) { root, keys throws(CheckpointError) in try ModernBert(root, keys) }
        return [
            modern, modern.named("ModernBertForMaskedLM", .vectors(.rows(.mean))),
            modern.named("ModernBertForSequenceClassification", .modernBertScores),
        ]
    }()
}

extension Answers {
    /// A score for a pair: a product with a function and a norm behind it, then the classifier.
    static var modernBertScores: Answers {
        .scores(
            .crossEncoder,
            pooling: { fields throws(CheckpointError) in
                try fields.choice("classifier_pooling", of: ["cls", "mean"]) == "mean" ? .rows(.mean) : .first
            },
            stages: { fields throws(CheckpointError) in
                let hidden = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
                let keys = try ModernBertKeys(fields)
                let bias: HeadStage.Bias = try fields.boolean("classifier_bias") ?? false ? .present : .absent
                let function = try fields.choice("classifier_activation", of: ["gelu", "relu", "silu"])
                let activation: Activation = function == "gelu" ? .gelu : function == "relu" ? .relu : .silu
                return [
                    .linear("head.dense", inputs: hidden, outputs: hidden, bias, activation),
                    .norm("head.norm", size: hidden, epsilon: keys.epsilon, bias: keys.normBias),
                    .linear(
                        "classifier", inputs: hidden, outputs: try labelCount(fields), .present,
                        try scoreActivation(fields)),
                ]
            })
    }
}

/// What ModernBERT reads of a configuration beside the common keys.
struct ModernBertKeys {
    /// Epsilon of the norms.
    let epsilon: Float
    /// Whether norms have biases.
    let normBias: Bool
    /// Whether attention's projections have biases.
    let attentionBias: Bool
    /// Whether the MLP's projections have biases.
    let mlpBias: Bool
    /// The function on the MLP's gates.
    let function: MLPFunction
    /// Positions that a layer with a window sees on either side.
    let window: Int
    /// Which layers see a window.
    let layers: LayerKinds
    /// Bases of rotation where the whole text is seen, and in windows.
    let theta: (full: Double?, local: Double)

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        epsilon = Float(try fields.number("norm_eps", in: 0...1) ?? 1e-5)
        normBias = try fields.boolean("norm_bias") ?? false
        attentionBias = try fields.boolean("attention_bias") ?? false
        mlpBias = try fields.boolean("mlp_bias") ?? false
        function = try MLPFunction(fields, "hidden_activation", default: "gelu")
        window = (try fields.integer("local_attention", in: 1...ModelConfig.positionLimit) ?? 128) / 2
        layers = try LayerKinds(fields, every: "global_attn_every_n_layers", usual: 3, firstIsFull: true)
        theta = (
            try fields.number("global_rope_theta", in: 1e-3...1e15),
            try localTheta(fields, "local_rope_theta", usual: 10_000)
        )
    }
}

/// Pre-norm layers that see a text both ways, most through a window.
struct ModernBert: Network {
    /// One block: attention and gated MLP, each behind a norm and added to the residual stream.
    struct Layer {
        /// Nil in the first layer, whose input has been normalised already.
        let attentionNorm: LayerNorm?
        let attention: Attention
        let mlpNorm: LayerNorm
        let mlp: GatedMLP

        /// Advances the residual stream.
        func forward(_ step: inout Step) {
            attentionNorm?(step.residual, into: step.normed, step)
            attention(step.normed, &step)
            mlpNorm(step.residual, into: step.normed, step)
            mlp(step.normed, addingTo: step.residual, step)
        }
    }

    let embedding: VocabEmbedding
    let embeddingNorm: LayerNorm
    let layers: [Layer]
    let norm: (any RowNorm)?

    /// Takes the tensors below `model.`; those of heads that nobody asked for are passed over.
    init(_ root: ModelScope, _ keys: ModernBertKeys) throws(CheckpointError) {
        let (plan, config) = (root.plan, root.config)
        plan.passOver("decoder.", "head.")
        func norm(_ scope: ModelScope) throws(CheckpointError) -> LayerNorm {
            try LayerNorm(scope, size: config.hiddenSize, epsilon: keys.epsilon, bias: keys.normBias)
        }
        embedding = try VocabEmbedding(root.at("model.embeddings.tok_embeddings"))
        embeddingNorm = try norm(root.at("model.embeddings.norm"))
        var full = try AttentionShape(root)
        full.sight = .full
        if let theta = keys.theta.full { full.rotary?.theta = theta }
        var local = full
        local.sight = AttentionSight(before: keys.window, after: keys.window)
        local.rotary = RopeConfig(
            theta: keys.theta.local, scaling: .none, rotaryDimension: config.rope.rotaryDimension)
        let cache = try plan.sharedCache(full.heads)
        layers = try root.layers("model.layers") { [full, local] scope, index throws(CheckpointError) in
            Layer(
                attentionNorm: index == 0 ? nil : try norm(scope.at("attn_norm")),
                attention: try Attention(
                    scope.at("attn"), keys.layers.isFull(index) ? full : local, layer: index,
                    names: .stacked("Wqkv", output: "Wo"), biases: (keys.attentionBias, keys.attentionBias),
                    cache: cache),
                mlpNorm: try norm(scope.at("mlp_norm")),
                mlp: try GatedMLP(
                    scope.at("mlp"), names: .stacked("Wi", down: "Wo"), bias: keys.mlpBias, keys.function))
        }
        self.norm = try norm(root.at("model.final_norm"))
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        embeddingNorm(inPlace: step.residual, into: step.normed, step)
        for layer in layers { layer.forward(&step) }
    }
}
