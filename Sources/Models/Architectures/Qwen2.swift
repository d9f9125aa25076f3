import JSON

extension Architecture {
    /// Qwen2 and Qwen2.5: Llama's layers, with biases on queries, keys and values and nowhere else.
    ///
    /// Yang et al. 2024 (arXiv:2407.10671). The biases are part of the architecture: config.json does not mention them.
    static let qwen2 = Architecture(
        "Qwen2ForCausalLM", modelType: "qwen2",
        defaults: Defaults(maxPositions: 32_768, passesOverWindows: true, values: ["use_sliding_window": false]),
        gguf: GGUFDialect("qwen2"), keys: LlamaKeys.init
    ) { root, _ throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        layers.inputBias = true
        return try Llama(root, layers)
    }
}
