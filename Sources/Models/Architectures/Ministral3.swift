import JSON

extension Architecture {
    /// Ministral 3, alone or as the text tower of a checkpoint that also sees images: Llama's layers with YaRN, and queries that
    /// grow with their positions. What asks for them stands with the rotation.
    static let ministral3 = Architecture(
        "Ministral3ForCausalLM", modelType: "ministral3",
        defaults: Defaults(theta: 1_000_000, maxPositions: 262_144, passesOverWindows: true),
        gguf: GGUFDialect(
            "mistral3", interleavesHeads: true, keys: ["llama_4_scaling_beta": "attention.temperature_scale"]),
        keys: LlamaKeys.init
    ) { root, keys throws(CheckpointError) in
        root.plan.passOver(
            "vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.")
        return try Llama(root, LlamaLayers(root, keys))
    }
}
