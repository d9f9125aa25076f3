import JSON
import Tensors

extension Architecture {
    /// EXAONE 4: norms behind the blocks and over each head of queries and keys; where layers have a window, those without one do
    /// not rotate.
    ///
    /// LG AI Research 2025 (arXiv:2507.11407).
    static let exaone4 = Architecture(
        "Exaone4ForCausalLM", modelType: "exaone4",
        defaults: Defaults(maxPositions: 2048, values: ["sliding_window": 4096]),
        gguf: GGUFDialect(
            "exaone4", modules: postNormModules,
            keys: [
                "sliding_window": "attention.sliding_window",
                "sliding_window_layers": "attention.sliding_window_pattern",
            ],
            implied: { fields throws(CheckpointError) in
                // Files of the models without windows do not mention them.
                guard fields.has("sliding_window") else { return ["sliding_window": .null] }
                return try fields.impliedLayerTypes()
            }),
        keys: Exaone4Keys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root, keys.llama)
        layers.headNorms = .heads()
        if let window = keys.window {
            let local = layers.attention.sliding(window)
            layers.attention.rotary = nil
            layers.attentionOfLayer = { [full = layers.attention] in keys.kinds.isFull($0) ? full : local }
        }
        return try PostNorm(root, layers)
    }
}

/// What EXAONE 4 reads of a configuration beside the common keys.
private struct Exaone4Keys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    /// Positions that a layer with a window sees, its own included; nil where none has one.
    let window: Int?
    /// Which layers see a window.
    let kinds: LayerKinds

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        try fields.refuseTrue("attention_bias", "mlp_bias")
        window = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit)
        kinds = try LayerKinds(fields, every: "sliding_window_pattern", usual: 4, firstIsFull: false)
    }
}
