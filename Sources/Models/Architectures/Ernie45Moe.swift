import JSON
import Tensors

extension Architecture {
    /// ERNIE 4.5's mixtures of experts: the dense layers, with experts that are chosen by a bias, beside an expert for every row.
    static let ernie45Moe = Architecture(
        "Ernie4_5_MoeForCausalLM", modelType: "ernie4_5_moe",
        defaults: Defaults(
            theta: 500_000, maxPositions: 131_072, values: ["tie_word_embeddings": true],
            aliases: ["attention_bias": "use_bias", "mlp_bias": "use_bias"]),
        gguf: GGUFDialect(
            "ernie4_5-moe",
            modules: [
                "ffn_gate_inp": "mlp.gate", "exp_probs_b": "=mlp.moe_statics.e_score_correction_bias",
                "ffn_gate_shexp": "mlp.shared_experts.gate_proj", "ffn_up_shexp": "mlp.shared_experts.up_proj",
                "ffn_down_shexp": "mlp.shared_experts.down_proj",
            ], experts: GGUFExperts(normalizes: true),
            keys: [
                "moe_num_experts": "expert_count", "moe_k": "expert_used_count",
                "moe_num_shared_experts": "expert_shared_count", "moe_layer_interval": "interleave_moe_layer_step",
                "moe_layer_start_index": "leading_dense_block_count",
            ]),
        keys: Ernie45MoeKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root, keys.llama)
        layers.attention.rotary?.isInterleaved = true
        layers.feedForward = { scope, index throws(CheckpointError) in
            guard keys.isSparse(index) else { return try GatedMLP(scope.at("mlp"), bias: keys.llama.mlpBias) }
            return try MixtureOfExperts(scope.at("mlp"), keys.shape, layer: index)
        }
        return try Llama(root, layers)
    }
}

/// What ERNIE's mixtures of experts read of a configuration beside the common keys.
private struct Ernie45MoeKeys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    /// The experts of a layer.
    let shape: ExpertShape
    private let sparse: ClosedRange<Int>
    private let interval: Int

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        try fields.refuseTrue("use_bias")
        try fields.refuse("moe_norm_min", unless: 1e-12)
        let count = try fields.integer("moe_num_experts", in: 1...65_536) ?? 64
        let size = try fields.requiredInteger("moe_intermediate_size", in: 1...ModelConfig.widthLimit)
        var shape = ExpertShape(
            count: count, each: try fields.integer("moe_k", in: 1...min(count, 256)) ?? min(count, 6), size: size,
            normalizes: true)
        shape.scoring.choiceBias = "moe_statics.e_score_correction_bias"
        shape.names.shared = "shared_experts"
        let sharers = try fields.integer("moe_num_shared_experts", in: 0...256) ?? 2
        shape.shared = sharers > 0 ? sharers * size : nil
        shape.sharedHasGate = false
        self.shape = shape
        let layers = try fields.requiredInteger("num_hidden_layers", in: 1...10_000)
        let first = try fields.integer("moe_layer_start_index", in: 0...10_000) ?? 1
        let last = try fields.integer("moe_layer_end_index", in: -1...10_000) ?? -1
        sparse = first...max(first, last < 0 ? layers - 1 : last)
        interval = try fields.integer("moe_layer_interval", in: 1...10_000) ?? 1
    }

    /// Whether a layer chooses between experts.
    func isSparse(_ layer: Int) -> Bool { sparse.contains(layer) && (layer + 1) % interval == 0 }
}
