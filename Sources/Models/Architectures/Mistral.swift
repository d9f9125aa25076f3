extension Architecture {
    /// Mistral 7B and its kin: Llama's layers. Its GGUF files call themselves llama.
    ///
    /// Jiang et al. 2023 (arXiv:2310.06825). The window is passed over, as by the reference server.
    static let mistral = Architecture(
        "MistralForCausalLM", modelType: "mistral", defaults: Defaults(maxPositions: 8192, passesOverWindows: true),
        gguf: nil,
        keys: LlamaKeys.init
    ) { root, keys throws(CheckpointError) in try Llama(root, LlamaLayers(root, keys)) }
}
