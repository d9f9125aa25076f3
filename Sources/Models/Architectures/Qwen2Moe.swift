import JSON

extension Architecture {
    /// Qwen1.5-MoE and Qwen2-57B-A14B: Qwen2's layers with a mixture of experts for an MLP, and beside the chosen experts a
    /// shared one behind a sigmoid gate.
    ///
    /// Yang et al. 2024 (arXiv:2407.10671).
    static let qwen2Moe = Architecture(
        "Qwen2MoeForCausalLM", modelType: "qwen2_moe",
        defaults: Defaults(maxPositions: 8192, passesOverWindows: true, values: ["use_sliding_window": false]),
        gguf: GGUFDialect(
            "qwen2moe",
            modules: [
                "ffn_gate_inp": "mlp.gate", "ffn_gate_inp_shexp": "mlp.shared_expert_gate",
                "ffn_gate_shexp": "mlp.shared_expert.gate_proj", "ffn_up_shexp": "mlp.shared_expert.up_proj",
                "ffn_down_shexp": "mlp.shared_expert.down_proj",
            ], experts: GGUFExperts(normalizes: false)),
        keys: Qwen2MoeKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        layers.inputBias = keys.hasBias
        layers.feedForward = { scope, index throws(CheckpointError) in
            guard keys.common.isSparse(index) else { return try GatedMLP(scope.at("mlp")) }
            var shape = keys.common.shape
            shape.shared = keys.sharedSize
            return try MixtureOfExperts(scope.at("mlp"), shape, layer: index)
        }
        return try Llama(root, layers)
    }
}

/// What Qwen2's mixtures of experts read besides.
private struct Qwen2MoeKeys {
    let common: QwenMoeKeys
    /// Elements of the shared expert.
    let sharedSize: Int
    /// Whether queries, keys and values have biases.
    let hasBias: Bool

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        common = try QwenMoeKeys(fields)
        sharedSize = try fields.requiredInteger("shared_expert_intermediate_size", in: 1...ModelConfig.widthLimit)
        hasBias = try fields.boolean("qkv_bias") ?? true
    }
}
