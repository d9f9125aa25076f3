import Tensors

extension Architecture {
    /// InternLM2: Llama's layers under names of its own; queries, keys and values are one tensor, group by group of heads.
    ///
    /// Cai et al. 2024 (arXiv:2403.17297).
    static let internLM2: Architecture = {
        var page = Architecture(
            "InternLM2ForCausalLM", modelType: "internlm2", defaults: Defaults(maxPositions: 2048), gguf: nil,
            keys: InternLM2Keys.init
        ) { root, keys throws(CheckpointError) in try InternLM2(root, keys) }
        page.headName = "output"
        return page
    }()
}

/// What InternLM2 reads of a configuration beside the common keys.
struct InternLM2Keys {
    /// Whether the projections of attention have biases.
    let bias: Bool

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        bias = try fields.boolean("bias") ?? true
        _ = try fields.choice("hidden_act", of: ["silu"])
    }
}

/// Pre-norm layers of rotary attention and a SiLU-gated MLP, as Llama has them.
struct InternLM2: Network {
    /// One block: attention and MLP, each behind a norm and added to the residual stream.
    struct Layer {
        let attentionNorm: RMSNorm
        let attention: Attention
        let mlpNorm: RMSNorm
        let mlp: GatedMLP

        /// Takes the tensors under `model.layers.N`.
        init(
            _ scope: ModelScope, _ shape: AttentionShape, _ keys: InternLM2Keys, index: Int
        ) throws(CheckpointError) {
            attentionNorm = try RMSNorm(scope.at("attention_norm"))
            attention = try Attention(
                scope.at("attention"), shape, layer: index,
                names: .grouped(
                    "wqkv", output: "wo", queries: shape.heads.query / shape.heads.keyValue,
                    size: shape.heads.dimension),
                biases: (input: keys.bias, output: keys.bias))
            mlpNorm = try RMSNorm(scope.at("ffn_norm"))
            mlp = try GatedMLP(scope.at("feed_forward"), names: .apart(gate: "w1", up: "w3", down: "w2"))
        }

        /// Advances the residual stream by this layer.
        func forward(_ step: inout Step) {
            attentionNorm(step.residual, into: step.normed, step)
            attention(step.normed, &step)
            mlpNorm(step.residual, into: step.normed, step)
            mlp(step.normed, addingTo: step.residual, step)
        }
    }

    let embedding: VocabEmbedding
    let layers: [Layer]
    let norm: (any RowNorm)?

    /// Takes every tensor but the output head's.
    init(_ root: ModelScope, _ keys: InternLM2Keys) throws(CheckpointError) {
        if !root.plan.answersTokens { root.plan.passOver("output.") }
        embedding = try VocabEmbedding(root.at("model.tok_embeddings"))
        let shape = try AttentionShape(root)
        layers = try root.layers("model.layers") { scope, index throws(CheckpointError) in
            try Layer(scope, shape, keys, index: index)
        }
        norm = try RMSNorm(root.at("model.norm"))
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        for layer in layers { layer.forward(&step) }
    }
}
