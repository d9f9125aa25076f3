import JSON
import Tensors

extension Architecture {
    /// gpt-oss: Llama's layers with sinks in attention, every other one with a window, and a mixture of experts with biases and
    /// clamped gates, whose weights come in MXFP4, or in plain numbers and then with the inputs first.
    ///
    /// OpenAI 2025 (arXiv:2508.10925).
    static let gptOss = Architecture(
        "GptOssForCausalLM", modelType: "gpt_oss",
        defaults: Defaults(
            theta: 150_000, maxPositions: 131_072, turnsStacks: true,
            values: ["attention_bias": true, "head_dim": 64]),
        gguf: GGUFDialect(
            "gpt-oss",
            modules: [
                "post_attention_norm": "post_attention_layernorm", "attn_sinks": "=self_attn.sinks",
                "ffn_gate_inp": "mlp.router",
            ], experts: GGUFExperts(normalizes: true),
            keys: ["sliding_window": "attention.sliding_window"],
            // Files do not say that the ends of YaRN's ramp are not rounded.
            implied: { (_: ConfigFields) throws(CheckpointError) in ["truncate": false] }),
        keys: GptOssKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root)
        (layers.inputBias, layers.outputBias) = (keys.attentionBias, keys.attentionBias)
        layers.attention.hasSinks = true
        let local = layers.attention.sliding(keys.window)
        layers.attentionOfLayer = { [full = layers.attention] in keys.kinds.isFull($0) ? full : local }
        let size = root.config.intermediateSize
        layers.feedForward = { scope, index throws(CheckpointError) in
            let place = scope.at("mlp")
            var shape = ExpertShape(count: keys.experts, each: keys.each, size: size, normalizes: true)
            shape.names.router = "router"
            shape.sizeKey = "intermediate_size"
            shape.scoring.logitBias = "router.bias"
            (shape.hasBiases, shape.clampsGates) = (true, true)
            if place.plan.has(place.prefix + ".experts.gate_up_proj") {
                shape.stacks = ExpertStacks(
                    gateUp: "experts.gate_up_proj", down: "experts.down_proj",
                    biases: ("experts.gate_up_proj_bias", "experts.down_proj_bias"), takesTurns: true)
            }
            return try MixtureOfExperts(place, shape, layer: index)
        }
        return try Llama(root, layers)
    }
}

/// What gpt-oss reads of a configuration beside the common keys.
private struct GptOssKeys {
    /// Whether attention's projections have biases.
    let attentionBias: Bool
    /// Positions that a layer with a window sees, its own included.
    let window: Int
    /// Which layers see a window.
    let kinds: LayerKinds
    /// Experts of a layer, and how many of them a row takes.
    let experts: Int
    let each: Int

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        _ = try fields.choice("hidden_act", of: ["silu"])
        try fields.refuse("swiglu_limit", unless: 7)
        try fields.refuse("swiglu_alpha", unless: 1.702)
        attentionBias = try fields.boolean("attention_bias") ?? true
        window = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit) ?? 128
        kinds = try LayerKinds(fields, every: "sliding_window_pattern", usual: 2, firstIsFull: false)
        experts = try fields.requiredInteger("num_local_experts", in: 1...65_536)
        each =
            try fields.firstInteger(["num_experts_per_tok", "experts_per_token"], in: 1...min(experts, 256))
            ?? min(experts, 4)
    }
}
