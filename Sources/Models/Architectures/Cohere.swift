import JSON
import Tensors

extension Architecture {
    /// Command R and Aya 23: attention and MLP side by side behind one norm, neighbours rotated.
    ///
    /// Aryabumi et al. 2024 (arXiv:2405.15032).
    static let cohere = Architecture(
        "CohereForCausalLM", modelType: "cohere",
        defaults: Defaults(
            theta: 500_000, maxPositions: 8192, values: ["tie_word_embeddings": true, "logit_scale": 0.0625]),
        gguf: GGUFDialect("command-r", keys: ["logit_scale": "logit_scale"]), keys: CohereKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try keys.layers(root)
        layers.attention.rotary?.isInterleaved = true
        return try SideBySide(root, layers)
    }
}

/// What Cohere's decoders read of a configuration beside the common keys.
struct CohereKeys {
    /// Epsilon of the norms.
    let epsilon: Float
    /// Whether attention's projections have biases.
    let attentionBias: Bool
    /// Factor on logits.
    let logitScale: Float

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        _ = try fields.choice("hidden_act", of: ["silu"])
        try fields.refuseTrue("use_qk_norm")
        epsilon = Float(try fields.number("layer_norm_eps", in: 0...1) ?? 1e-5)
        attentionBias = try fields.boolean("attention_bias") ?? false
        logitScale = Float(try fields.number("logit_scale", in: 1e-6...1e6) ?? 0.0625)
    }

    /// The layers that the keys ask for.
    func layers(_ root: ModelScope) throws(CheckpointError) -> LlamaLayers {
        var layers = try LlamaLayers(root)
        layers.norm = { [epsilon] scope throws(CheckpointError) in
            try LayerNorm(scope, size: scope.config.hiddenSize, epsilon: epsilon, bias: false)
        }
        (layers.inputBias, layers.outputBias) = (attentionBias, attentionBias)
        layers.logitTerms.scale = logitScale
        return layers
    }
}
