import JSON
import Tensors

extension Architecture {
    /// StableLM 2 and StableLM 3B: Llama's layers with layer norms, a quarter of each head rotated; in some attention and MLP side
    /// by side.
    ///
    /// Bellagente et al. 2024 (arXiv:2402.17834).
    static let stableLM = Architecture(
        "StableLmForCausalLM", modelType: "stablelm",
        defaults: Defaults(maxPositions: 4096, values: ["partial_rotary_factor": 0.25]),
        gguf: GGUFDialect(
            "stablelm",
            keys: [
                "layer_norm_eps": "attention.layer_norm_epsilon", "use_parallel_residual": "use_parallel_residual",
            ],
            implied: { fields throws(CheckpointError) in
                ["use_qkv_bias": .bool(try fields.boolean("attention_bias") ?? false)]
            }),
        keys: StableLMKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        layers.inputBias = keys.inputBias
        layers.norm = { scope throws(CheckpointError) in
            try LayerNorm(scope, size: scope.config.hiddenSize, epsilon: keys.epsilon)
        }
        return keys.isParallel ? try SideBySide(root, layers) : try Llama(root, layers)
    }
}

/// What StableLM reads of a configuration beside the common keys.
private struct StableLMKeys {
    /// Epsilon of the norms.
    let epsilon: Float
    /// Whether queries, keys and values have biases.
    let inputBias: Bool
    /// Whether attention and MLP stand side by side.
    let isParallel: Bool

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        _ = try fields.choice("hidden_act", of: ["silu"])
        try fields.refuseTrue("qk_layernorm")
        epsilon = Float(try fields.number("layer_norm_eps", in: 0...1) ?? 1e-5)
        inputBias = try fields.boolean("use_qkv_bias") ?? false
        isParallel = try fields.boolean("use_parallel_residual") ?? false
    }
}
