extension Architecture {
    /// Mixtral 8x7B and 8x22B: Mistral's layers with a mixture of experts for an MLP; the weights of a token's experts add up
    /// to one. Its GGUF files call themselves llama.
    ///
    /// Jiang et al. 2024 (arXiv:2401.04088). The window is passed over, as by the reference server.
    static let mixtral = Architecture(
        "MixtralForCausalLM", modelType: "mixtral", defaults: Defaults(maxPositions: 131_072, passesOverWindows: true),
        gguf: GGUFDialect(
            "llama", interleavesHeads: true, modules: ["ffn_gate_inp": "block_sparse_moe.gate"],
            experts: GGUFExperts(
                normalizes: true, place: "block_sparse_moe",
                stacks: ["ffn_gate_exps": "w1", "ffn_up_exps": "w3", "ffn_down_exps": "w2"])),
        keys: MixtralKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root, keys.llama)
        let size = root.config.intermediateSize
        layers.feedForward = { scope, index throws(CheckpointError) in
            var shape = ExpertShape(count: keys.experts, each: keys.each, size: size, normalizes: true)
            shape.names = ExpertNames(gate: "w1", up: "w3", down: "w2")
            shape.sizeKey = "intermediate_size"
            return try MixtureOfExperts(scope.at("block_sparse_moe"), shape, layer: index)
        }
        return try Llama(root, layers)
    }
}

/// What Mixtral reads of a configuration beside the common keys.
private struct MixtralKeys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    /// Experts of a layer, and how many of them a row takes.
    let experts: Int
    let each: Int

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        (experts, each) = try fields.localExperts()
    }
}

extension ConfigFields {
    /// Experts of a layer, and how many of them a row takes, as Mixtral names them: two where nothing else is said.
    func localExperts() throws(CheckpointError) -> (count: Int, each: Int) {
        let count = try requiredInteger("num_local_experts", in: 1...65_536)
        return (count, try integer("num_experts_per_tok", in: 1...min(count, 256)) ?? min(count, 2))
    }
}
