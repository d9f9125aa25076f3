import JSON
import Tensors

extension Architecture {
    /// Granite 3 and 4 (dense): Llama's layers with factors on embeddings, scores, blocks and logits.
    static let granite = Architecture(
        "GraniteForCausalLM", modelType: "granite", defaults: Defaults(maxPositions: 2048),
        gguf: GGUFDialect("granite", interleavesHeads: true, keys: graniteKeys), keys: GraniteKeys.init
    ) { root, keys throws(CheckpointError) in
        try Llama(root, keys.layers(root))
    }

    /// Granite's mixtures of experts, whose weights of a row add up to one; the experts of a layer are one tensor.
    static let graniteMoe = Architecture(
        "GraniteMoeForCausalLM", modelType: "granitemoe", defaults: Defaults(maxPositions: 2048),
        gguf: GGUFDialect(
            "granitemoe", interleavesHeads: true, modules: ["ffn_gate_inp": "block_sparse_moe.router.layer"],
            experts: GGUFExperts(normalizes: true, place: "block_sparse_moe"), keys: graniteKeys),
        keys: GraniteMoeKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try keys.granite.layers(root)
        let size = root.config.intermediateSize
        layers.feedForward = { scope, index throws(CheckpointError) in
            var shape = ExpertShape(count: keys.experts, each: keys.each, size: size, normalizes: true)
            shape.names.router = "router.layer"
            shape.sizeKey = "intermediate_size"
            let place = scope.at("block_sparse_moe")
            if place.plan.has(place.prefix + ".input_linear.weight") {
                shape.stacks = ExpertStacks(gateUp: "input_linear.weight", down: "output_linear.weight")
            }
            return try MixtureOfExperts(place, shape, layer: index)
        }
        return try Llama(root, layers)
    }

    /// The factors in GGUF files.
    private static let graniteKeys = [
        "attention_multiplier": "attention.scale", "embedding_multiplier": "embedding_scale",
        "residual_multiplier": "residual_scale", "logits_scaling": "logit_scale",
    ]
}

/// What Granite reads of a configuration beside the common keys.
private struct GraniteKeys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    private let factors: (embedding: Double, attention: Double, residual: Double, logits: Double)

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        let range = 1e-6...1e6
        factors = (
            try fields.number("embedding_multiplier", in: range) ?? 1,
            try fields.number("attention_multiplier", in: range) ?? 1,
            try fields.number("residual_multiplier", in: range) ?? 1,
            try fields.number("logits_scaling", in: range) ?? 1
        )
    }

    /// Layers whose residual stream holds what transformers' does, divided by the factor on blocks, which are then added as they
    /// are. Norms forgive the division once their epsilon is divided by its square.
    func layers(_ root: ModelScope) throws(CheckpointError) -> LlamaLayers {
        var layers = try LlamaLayers(root, llama)
        layers.attention.scale = Float(factors.attention)
        let epsilon = Float(Double(root.config.normEpsilon) / (factors.residual * factors.residual))
        layers.norm = { scope throws(CheckpointError) in try RMSNorm(scope, epsilon: epsilon) }
        let scale = Float(factors.embedding / factors.residual)
        layers.embeddingScale = (scale, scale)
        layers.logitTerms.scale = Float(1 / factors.logits)
        return layers
    }
}

/// What Granite's mixtures of experts read besides.
private struct GraniteMoeKeys {
    let granite: GraniteKeys
    /// Experts of a layer, and how many of them a row takes.
    let experts: Int
    let each: Int

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        granite = try GraniteKeys(fields)
        (experts, each) = try fields.localExperts()
    }
}
