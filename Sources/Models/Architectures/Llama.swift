extension Architecture {
    /// Llama 2 and 3, SmolLM2, TinyLlama and their kin.
    static let llama = Architecture(
        "LlamaForCausalLM", modelType: "llama", defaults: Defaults(maxPositions: 8192),
        gguf: GGUFDialect("llama", interleavesHeads: true), keys: LlamaKeys.init
    ) { root, keys throws(CheckpointError) in
        try Llama(root, LlamaLayers(root, keys))
    }
}

/// What Llama and its kin read of a configuration beside the common keys; what they do not compute is refused.
struct LlamaKeys {
    /// Whether q, k and v have biases.
    let attentionBias: Bool
    /// Whether o has a bias.
    let attentionOutputBias: Bool
    /// Whether gate, up and down have biases.
    let mlpBias: Bool

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        attentionBias = try fields.boolean("attention_bias", "bias") ?? false
        attentionOutputBias = try fields.boolean("attention_output_bias") ?? attentionBias
        mlpBias = try fields.boolean("mlp_bias") ?? false
        _ = try fields.choice("hidden_act", of: ["silu"])
        // Sliding windows are passed over: the reference server lets these models attend to everything too.
        try fields.refuse("attn_logit_softcapping", unless: 0)
        try fields.refuse("final_logit_softcapping", unless: 0)
        try fields.refuse("logit_scale", unless: 1)
    }
}

/// In what the layers of Llama's kin differ.
struct LlamaLayers {
    /// How they attend.
    var attention: AttentionShape
    /// How a layer attends, where layers differ.
    var attentionOfLayer: ((Int) -> AttentionShape)?
    /// What the projections of attention are called.
    var names = AttentionNames.usual
    /// Whether queries, keys and values have biases.
    var inputBias = false
    /// Whether attention's output has a bias.
    var outputBias = false
    /// What of queries and keys is normalised before rotation.
    var headNorms = QueryKeyNorms.Kind.none
    /// Whether the MLP's projections have biases.
    var mlpBias = false
    /// Makes what stands behind attention from a layer's place in the checkpoint and its number; nil: a gated MLP.
    var feedForward: ((ModelScope, Int) throws(CheckpointError) -> any FeedForward)?
    /// Makes a norm from its place; nil: an RMS norm.
    var norm: ((ModelScope) throws(CheckpointError) -> any RowNorm)?
    /// Factors on token vectors: those of the table, and those that come with a step.
    var embeddingScale: (table: Float, given: Float) = (1, 1)
    /// What becomes of logits.
    var logitTerms = LogitTerms()

    /// Layers without biases and head norms that attend as the configuration says.
    init(_ root: ModelScope) throws(CheckpointError) { attention = try AttentionShape(root) }

    /// Layers with the biases that the configuration names.
    init(_ root: ModelScope, _ keys: LlamaKeys) throws(CheckpointError) {
        try self.init(root)
        (inputBias, outputBias, mlpBias) = (keys.attentionBias, keys.attentionOutputBias, keys.mlpBias)
    }

    /// A norm at a place.
    func norm(_ scope: ModelScope) throws(CheckpointError) -> any RowNorm {
        if let norm { try norm(scope) } else { try RMSNorm(scope) }
    }

    /// Attention of a layer.
    func attention(_ scope: ModelScope, layer: Int) throws(CheckpointError) -> Attention {
        try Attention(
            scope, attentionOfLayer?(layer) ?? attention, layer: layer, names: names,
            biases: (input: inputBias, output: outputBias), norms: headNorms)
    }

    /// What stands behind it.
    func feedForward(_ scope: ModelScope, layer: Int) throws(CheckpointError) -> any FeedForward {
        if let feedForward { try feedForward(scope, layer) } else { try GatedMLP(scope.at("mlp"), bias: mlpBias) }
    }
}

/// Pre-norm layers of rotary attention and a SiLU-gated MLP.
///
/// Touvron et al. 2023 (arXiv:2302.13971, 2307.09288); grouped queries by Ainslie et al. 2023 (arXiv:2305.13245).
struct Llama: Network {
    /// One block: attention and MLP, each behind a norm and added to the residual stream.
    struct Layer {
        let inputNorm: any RowNorm
        let attention: Attention
        let postAttentionNorm: any RowNorm
        let mlp: any FeedForward

        /// Takes the tensors under `model.layers.N`.
        init(_ scope: ModelScope, _ layers: LlamaLayers, index: Int) throws(CheckpointError) {
            inputNorm = try layers.norm(scope.at("input_layernorm"))
            attention = try layers.attention(scope.at("self_attn"), layer: index)
            postAttentionNorm = try layers.norm(scope.at("post_attention_layernorm"))
            mlp = try layers.feedForward(scope, layer: index)
        }

        /// Advances the residual stream by this layer.
        func forward(_ step: inout Step) {
            inputNorm(step.residual, into: step.normed, step)
            attention(step.normed, &step)
            postAttentionNorm(step.residual, into: step.normed, step)
            mlp(step.normed, addingTo: step.residual, step)
        }
    }

    let embedding: VocabEmbedding
    let layers: [Layer]
    let norm: (any RowNorm)?
    let logitTerms: LogitTerms
    private let embeddingScale: (table: Float, given: Float)

    /// Takes every tensor but the output head's.
    init(_ root: ModelScope, _ kind: LlamaLayers) throws(CheckpointError) {
        embedding = try VocabEmbedding(root.at("model.embed_tokens"))
        layers = try root.layers("model.layers") { scope, index throws(CheckpointError) in
            try Layer(scope, kind, index: index)
        }
        norm = try kind.norm(root.at("model.norm"))
        logitTerms = kind.logitTerms
        embeddingScale = kind.embeddingScale
    }

    func forward(_ step: inout Step) {
        embedding(
            step.tokens, into: step.residual, scale: embeddingScale.table, vectorScale: embeddingScale.given, step)
        for layer in layers { layer.forward(&step) }
    }
}
