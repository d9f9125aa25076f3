import JSON

extension Architecture {
    /// SmolLM3: Llama's layers, of which every fourth does not rotate (NoPE; Yang et al. 2025, arXiv:2501.18795).
    static let smolLM3 = Architecture(
        "SmolLM3ForCausalLM", modelType: "smollm3",
        defaults: Defaults(theta: 2_000_000, maxPositions: 32_768, values: ["tie_word_embeddings": true]),
        gguf: GGUFDialect("smollm3", interleavesHeads: true), keys: SmolLM3Keys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root, keys.llama)
        var still = layers.attention
        still.rotary = nil
        layers.attentionOfLayer = { [rotated = layers.attention, still] in keys.rotates($0) ? rotated : still }
        return try Llama(root, layers)
    }
}

/// What SmolLM3 reads of a configuration beside the common keys.
private struct SmolLM3Keys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    private let rotated: [Int]?
    private let interval: Int

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        try fields.refuseTrue("use_sliding_window")
        rotated = try fields.integers("no_rope_layers", in: 0...1)
        interval = try fields.integer("no_rope_layer_interval", in: 1...10_000) ?? 4
        if let rotated, rotated.count != (try fields.requiredInteger("num_hidden_layers", in: 1...10_000)) {
            throw fields.error("no_rope_layers", "has \(rotated.count) entries")
        }
    }

    /// Whether a layer rotates: the key says 1 for those that do, whatever its name says.
    func rotates(_ layer: Int) -> Bool { rotated.map { $0[layer] == 1 } ?? ((layer + 1) % interval != 0) }
}
