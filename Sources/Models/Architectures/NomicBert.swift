import Tensors

extension Architecture {
    /// NomicBERT (Nussbaum et al. 2024, arXiv:2402.01613): post-norm layers with rotary positions and a gated MLP, without
    /// biases. Its configurations have the keys of GPT-2 or the usual ones.
    static let nomicBert = Architecture(
        "NomicBertModel", modelType: "nomic_bert",
        defaults: Defaults(
            theta: 1000, maxPositions: 2048,
            aliases: [
                "hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
                "intermediate_size": "n_inner", "max_position_embeddings": "n_positions",
                "layer_norm_eps": "layer_norm_epsilon", "rope_theta": "rotary_emb_base",
                "partial_rotary_factor": "rotary_emb_fraction",
            ]), gguf: .nomicBert,
        answers: .vectors(.rows(.mean)), isBidirectional: true, keys: NomicBertKeys.init
    ) { root, keys throws(CheckpointError) in try NomicBert(root, keys) }
}

extension GGUFDialect {
    /// NomicBERT.
    static let nomicBert = GGUFDialect(
        "nomic-bert",
        roots: [
            "token_embd": "embeddings.word_embeddings", "token_types": "embeddings.token_type_embeddings",
            "token_embd_norm": "emb_ln",
        ],
        layers: "encoder.layers",
        parts: [
            "attn_qkv": "attn.Wqkv", "attn_output": "attn.out_proj", "attn_output_norm": "norm1", "ffn_up": "mlp.fc11",
            "ffn_gate": "mlp.fc12", "ffn_down": "mlp.fc2", "layer_output_norm": "norm2",
        ])
}

/// What NomicBERT reads of a configuration beside the common keys; what its layers do not compute is refused.
struct NomicBertKeys {
    /// Epsilon of the norms.
    let epsilon: Float

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        epsilon = Float(try fields.number("layer_norm_eps", in: 0...1) ?? 1e-12)
        _ = try fields.choice("activation_function", of: ["swiglu"])
        _ = try fields.choice("hidden_act", of: ["silu"])
        for key in ["prenorm", "qkv_proj_bias", "mlp_fc1_bias", "mlp_fc2_bias", "parallel_block", "use_rms_norm"] {
            guard try fields.boolean(key) ?? false == false else {
                throw fields.error(key, "is not supported for this architecture")
            }
        }
        try fields.refuse("rotary_scaling_factor", unless: 1)
    }
}

/// Post-norm layers that see a text both ways.
struct NomicBert: Network {
    /// One block: attention and gated MLP, each added to the residual stream and normalised with it.
    struct Layer {
        let attention: Attention
        let attentionNorm: LayerNorm
        let mlp: GatedMLP
        let outputNorm: LayerNorm

        /// Advances the residual stream, of which a copy in the model dtype lies in `normed`.
        func forward(_ step: inout Step) {
            attention(step.normed, &step)
            attentionNorm(inPlace: step.residual, into: step.normed, step)
            mlp(step.normed, addingTo: step.residual, step)
            outputNorm(inPlace: step.residual, into: step.normed, step)
        }
    }

    let embedding: VocabEmbedding
    let tokenTypes: LookupTable
    let embeddingNorm: LayerNorm
    let layers: [Layer]
    /// None: the last layer ends in one.
    var norm: (any RowNorm)? { nil }

    /// Takes the tensors at the root, by the names that the authors' checkpoints have.
    init(_ root: ModelScope, _ keys: NomicBertKeys) throws(CheckpointError) {
        let (plan, config) = (root.plan, root.config)
        plan.passOver("pooler.", "cls.")
        embedding = try VocabEmbedding(root.at("embeddings.word_embeddings"))
        tokenTypes = try LookupTable(root.at("embeddings.token_type_embeddings"), rows: config.tokenTypeCount)
        embeddingNorm = try LayerNorm(root.at("emb_ln"), size: config.hiddenSize, epsilon: keys.epsilon)
        var shape = try AttentionShape(root)
        shape.sight = .full
        let cache = try plan.sharedCache(shape.heads)
        layers = try root.layers("encoder.layers") { [shape] scope, index throws(CheckpointError) in
            Layer(
                attention: try Attention(
                    scope.at("attn"), shape, layer: index, names: .stacked("Wqkv", output: "out_proj"), cache: cache),
                attentionNorm: try LayerNorm(scope.at("norm1"), size: config.hiddenSize, epsilon: keys.epsilon),
                mlp: try GatedMLP(scope.at("mlp"), names: .apart(gate: "fc12", up: "fc11", down: "fc2")),
                outputNorm: try LayerNorm(scope.at("norm2"), size: config.hiddenSize, epsilon: keys.epsilon))
        }
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        tokenTypes(step.tokenTypes, addingTo: step.residual, step)
        embeddingNorm(inPlace: step.residual, into: step.normed, step)
        for layer in layers { layer.forward(&step) }
    }
}
