/// Which architectures exist and who builds them: the one place a new model is entered.
package enum ModelRegistry {
    /// Builds a network's layers from the places of its tensors in the checkpoint.
    typealias Creator = @Sendable (WeightScope) throws(CheckpointError) -> any Decoder

    /// Every architecture string of `config.json` that can be loaded.
    private static let creators: [String: Creator] = [
        "LlamaForCausalLM": { root throws(CheckpointError) in try Llama(root) },
        "MistralForCausalLM": { root throws(CheckpointError) in try Llama(root) },
        "Qwen2ForCausalLM": { root throws(CheckpointError) in try Qwen2(root) },
        "Qwen3ForCausalLM": { root throws(CheckpointError) in try Qwen3(root) },
    ]

    /// The architecture strings, in alphabetical order.
    package static var architectures: [String] { creators.keys.sorted() }

    /// Builds the decoder that the configuration names; throws `unsupportedArchitecture` with the list of those there
    /// are.
    static func makeDecoder(_ root: WeightScope) throws(CheckpointError) -> any Decoder {
        guard let create = creators[root.config.architecture] else {
            throw .unsupportedArchitecture(
                file: root.plan.modelPath, name: root.config.architecture, supported: architectures)
        }
        return try create(root)
    }
}
