import JSON

/// Which layers of a network see the whole text, and which a window.
struct LayerKinds {
    private let types: [String]?
    private let every: Int
    private let firstIsFull: Bool

    /// Reads `layer_types`, or how many layers there are for one that sees everything: the first of each group or the last.
    init(_ fields: ConfigFields, every key: String, usual: Int, firstIsFull: Bool) throws(CheckpointError) {
        types = try fields.strings("layer_types")
        if let types {
            let layers = try fields.requiredInteger("num_hidden_layers", in: 1...10_000)
            guard types.count == layers, types.allSatisfy({ ["full_attention", "sliding_attention"].contains($0) })
            else {
                throw fields.error(
                    "layer_types",
                    "names no kind that is supported for each of \(layers) layers; supported: full_attention, sliding_attention"
                )
            }
        }
        // Beside a list it may say the same in letters.
        every = types == nil ? try fields.integer(key, in: 1...10_000) ?? usual : usual
        self.firstIsFull = firstIsFull
    }

    /// Whether a layer sees the whole text.
    func isFull(_ index: Int) -> Bool {
        if let types { return types[index] == "full_attention" }
        return (firstIsFull ? index : index + 1) % every == 0
    }
}

extension ConfigFields {
    /// `layer_types` of a GGUF file that says layer by layer which have a window; nothing where it does not.
    func impliedLayerTypes() throws(CheckpointError) -> [String: JSONValue] {
        guard let slide = try booleans("sliding_window_layers") else { return [:] }
        return ["layer_types": .array(slide.map { $0 ? "sliding_attention" : "full_attention" })]
    }

    /// The rotation of layers with a window: their section of `rope_parameters`, else the base at `key` or the usual one without
    /// scaling; where there is no usual one, that of all layers.
    func localRope(_ key: String, usual: Double?) throws(CheckpointError) -> RopeConfig {
        let common = try ModelConfig.rope(self)
        if try object("rope_parameters")?.object("sliding_attention") != nil {
            return try ModelConfig.rope(self, layers: "sliding_attention", theta: usual ?? common.theta)
        }
        guard let theta = try number(key, in: 1e-3...1e15) ?? usual else { return common }
        return RopeConfig(theta: theta, scaling: .none, rotaryDimension: common.rotaryDimension)
    }
}

/// The base of rotation of layers with a window, in either dialect.
func localTheta(_ fields: ConfigFields, _ key: String, usual: Double) throws(CheckpointError) -> Double {
    if let section = try fields.object("rope_parameters")?.object("sliding_attention"), section.has("rope_theta") {
        return try section.number("rope_theta", in: 1e-3...1e15) ?? usual
    }
    return try fields.number(key, in: 1e-3...1e15) ?? usual
}
