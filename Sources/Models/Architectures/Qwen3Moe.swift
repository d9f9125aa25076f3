import JSON

extension Architecture {
    /// Qwen3-30B-A3B and its kin: Qwen3's layers with a mixture of experts for an MLP, and no shared expert.
    ///
    /// Yang et al. 2025 (arXiv:2505.09388).
    static let qwen3Moe = Architecture(
        "Qwen3MoeForCausalLM", modelType: "qwen3_moe",
        defaults: Defaults(maxPositions: 8192, passesOverWindows: true, values: ["use_sliding_window": false]),
        gguf: GGUFDialect(
            "qwen3moe",
            modules: [
                "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_gate_inp": "mlp.gate",
            ], experts: GGUFExperts(normalizes: true)),
        keys: QwenMoeKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        layers.inputBias = keys.llama.attentionBias
        layers.outputBias = keys.llama.attentionOutputBias
        layers.headNorms = .heads()
        layers.feedForward = { scope, index throws(CheckpointError) in
            guard keys.isSparse(index) else { return try GatedMLP(scope.at("mlp")) }
            return try MixtureOfExperts(scope.at("mlp"), keys.shape, layer: index)
        }
        return try Llama(root, layers)
    }
}
