import JSON
import Tensors

extension Architecture {
    /// StarCoder2: layer norms, biases everywhere, an MLP without gates, and a window.
    ///
    /// Lozhkov et al. 2024 (arXiv:2402.19173).
    static let starcoder2 = Architecture(
        "Starcoder2ForCausalLM", modelType: "starcoder2",
        defaults: Defaults(maxPositions: 4096, values: ["tie_word_embeddings": true]),
        gguf: GGUFDialect(
            "starcoder2", modules: ["ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"],
            keys: ["norm_epsilon": "attention.layer_norm_epsilon", "sliding_window": "attention.sliding_window"]),
        keys: Starcoder2Keys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        (layers.inputBias, layers.outputBias) = (true, true)
        if let window = keys.window { layers.attention = layers.attention.sliding(window) }
        layers.norm = { scope throws(CheckpointError) in
            try LayerNorm(scope, size: scope.config.hiddenSize, epsilon: keys.epsilon)
        }
        layers.feedForward = { scope, _ throws(CheckpointError) in
            try EncoderMLP(scope.at("mlp"), up: "c_fc", down: "c_proj", keys.function)
        }
        return try Llama(root, layers)
    }
}

/// What StarCoder2 reads of a configuration beside the common keys.
private struct Starcoder2Keys {
    /// Epsilon of the norms.
    let epsilon: Float
    /// The function inside the MLP.
    let function: MLPFunction
    /// Positions that a row sees, its own included; nil for all.
    let window: Int?

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        guard try fields.boolean("use_bias") ?? true else {
            throw fields.error("use_bias", "false is not supported for this architecture; supported: true")
        }
        epsilon = Float(try fields.number("norm_epsilon", in: 0...1) ?? 1e-5)
        function = try MLPFunction(fields, "hidden_act", default: "gelu_pytorch_tanh")
        window = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit)
    }
}
