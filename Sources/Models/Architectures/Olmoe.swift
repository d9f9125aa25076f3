extension Architecture {
    /// OLMoE: Llama's layers with norms over all queries and all keys of a row, and a mixture of experts for an MLP.
    ///
    /// Muennighoff et al. 2024 (arXiv:2409.02060).
    static let olmoe = Architecture(
        "OlmoeForCausalLM", modelType: "olmoe", defaults: Defaults(maxPositions: 4096),
        gguf: GGUFDialect(
            "olmoe",
            modules: [
                "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_gate_inp": "mlp.gate",
            ], experts: GGUFExperts(normalizes: false)),
        keys: OlmoeKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root, keys.llama)
        layers.headNorms = .rows
        let size = root.config.intermediateSize
        layers.feedForward = { scope, index throws(CheckpointError) in
            var shape = ExpertShape(
                count: keys.experts, each: keys.each, size: size, normalizes: keys.normalizes)
            shape.sizeKey = "intermediate_size"
            return try MixtureOfExperts(scope.at("mlp"), shape, layer: index)
        }
        return try Llama(root, layers)
    }
}

/// What OLMoE reads of a configuration beside the common keys.
private struct OlmoeKeys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    /// Experts of a layer, how many of them a row takes, and whether their weights add up to one.
    let experts: Int
    let each: Int
    let normalizes: Bool

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        try fields.refuse("clip_qkv")
        experts = try fields.integer("num_experts", in: 1...65_536) ?? 64
        each = try fields.integer("num_experts_per_tok", in: 1...min(experts, 256)) ?? min(experts, 8)
        normalizes = try fields.boolean("norm_topk_prob") ?? false
    }
}
