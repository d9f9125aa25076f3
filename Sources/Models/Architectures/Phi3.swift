import Tensors

extension Architecture {
    /// Phi-3, Phi-3.5 and Phi-4: Llama's layers with queries, keys and values in one tensor, and gate and up in another;
    /// LongRoPE for long contexts.
    ///
    /// Abdin et al. 2024 (arXiv:2404.14219).
    static let phi3 = Architecture(
        "Phi3ForCausalLM", modelType: "phi3", defaults: Defaults(maxPositions: 4096),
        gguf: GGUFDialect(
            "phi3", modules: ["attn_qkv": "self_attn.qkv_proj", "ffn_up": "mlp.gate_up_proj"],
            keys: ["sliding_window": "attention.sliding_window"]),
        keys: Phi3Keys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        if let window = keys.window { layers.attention = layers.attention.sliding(window) }
        layers.names = .stacked("qkv_proj", output: "o_proj")
        layers.feedForward = { scope, _ throws(CheckpointError) in
            try GatedMLP(scope.at("mlp"), names: .stacked("gate_up_proj", down: "down_proj"))
        }
        return try Llama(root, layers)
    }
}

/// What Phi-3 reads of a configuration beside the common keys.
private struct Phi3Keys {
    /// Positions that a row sees, its own included; nil for all.
    let window: Int?

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        _ = try LlamaKeys(fields)
        try fields.refuseTrue("attention_bias", "mlp_bias")
        // Files say 2^18 - 1 or so for "none".
        window = try fields.integer("sliding_window", in: 0...ModelConfig.positionLimit).flatMap { $0 > 0 ? $0 : nil }
    }
}
