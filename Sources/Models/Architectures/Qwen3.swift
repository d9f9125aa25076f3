import JSON

extension Architecture {
    /// Qwen3 (dense): Llama's layers, with a norm over each query and key head before rotation.
    ///
    /// Yang et al. 2025 (arXiv:2505.09388). Head size is independent of the hidden size.
    static let qwen3 = Architecture(
        "Qwen3ForCausalLM", modelType: "qwen3",
        defaults: Defaults(
            theta: 1_000_000, maxPositions: 32_768, passesOverWindows: true, values: ["use_sliding_window": false]),
        gguf: GGUFDialect("qwen3", modules: ["attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"]),
        keys: LlamaKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        layers.inputBias = keys.attentionBias
        layers.outputBias = keys.attentionOutputBias
        layers.headNorms = .heads()
        return try Llama(root, layers)
    }
}
