import JSON
import Tensors

extension Architecture {
    /// GLM-4.5 and GLM-4.5-Air: Llama's layers with half of each head rotated; behind the first ones a mixture of experts that are
    /// chosen by sigmoids and a bias, beside an expert for every row.
    ///
    /// Zeng et al. 2025 (arXiv:2508.06471). The layer that predicts further tokens is passed over.
    static let glm4Moe = Architecture(
        "Glm4MoeForCausalLM", modelType: "glm4_moe",
        defaults: Defaults(maxPositions: 131_072, values: ["partial_rotary_factor": 0.5]),
        gguf: GGUFDialect(
            "glm4moe",
            modules: [
                "post_attention_norm": "post_attention_layernorm", "attn_q_norm": "self_attn.q_norm",
                "attn_k_norm": "self_attn.k_norm", "ffn_gate_inp": "mlp.gate",
                "exp_probs_b": "=mlp.gate.e_score_correction_bias", "ffn_gate_shexp": "mlp.shared_experts.gate_proj",
                "ffn_up_shexp": "mlp.shared_experts.up_proj", "ffn_down_shexp": "mlp.shared_experts.down_proj",
            ], experts: GGUFExperts(normalizes: true),
            keys: [
                "n_routed_experts": "expert_count", "n_shared_experts": "expert_shared_count",
                "first_k_dense_replace": "leading_dense_block_count", "routed_scaling_factor": "expert_weights_scale",
                "norm_topk_prob": "expert_weights_norm", "num_nextn_predict_layers": "nextn_predict_layers",
            ],
            implied: { fields throws(CheckpointError) in
                // Files count the layers that predict further tokens among the others.
                let layers = try fields.requiredInteger("num_hidden_layers", in: 1...10_000)
                let further = try fields.integer("num_nextn_predict_layers", in: 0...layers - 1) ?? 0
                return ["num_hidden_layers": .int(Int64(layers - further))]
            }),
        keys: Glm4MoeKeys.init
    ) { root, keys throws(CheckpointError) in
        for index in 0..<keys.furtherLayers {
            let layer = root.config.layerCount + index
            root.plan.passOver("model.layers.\(layer).", "blk.\(layer).")
        }
        var layers = try LlamaLayers(root, keys.llama)
        layers.outputBias = false
        if keys.normalizesHeads { layers.headNorms = .heads() }
        layers.feedForward = { scope, index throws(CheckpointError) in
            guard index >= keys.denseLayers else { return try GatedMLP(scope.at("mlp")) }
            return try MixtureOfExperts(scope.at("mlp"), keys.shape, layer: index)
        }
        return try Llama(root, layers)
    }
}

/// What GLM-4.5 reads of a configuration beside the common keys.
private struct Glm4MoeKeys {
    /// What Llama's kin read.
    let llama: LlamaKeys
    /// Whether query and key heads are normalised.
    let normalizesHeads: Bool
    /// Layers before the first with experts.
    let denseLayers: Int
    /// Layers behind the last, which predict further tokens.
    let furtherLayers: Int
    /// The experts of a layer.
    let shape: ExpertShape

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        llama = try LlamaKeys(fields)
        for key in ["n_group", "topk_group"] { try fields.refuse(key, unless: 1) }
        normalizesHeads = try fields.boolean("use_qk_norm") ?? false
        denseLayers = try fields.integer("first_k_dense_replace", in: 0...10_000) ?? 1
        furtherLayers = try fields.integer("num_nextn_predict_layers", in: 0...100) ?? 1
        let count = try fields.integer("n_routed_experts", in: 1...65_536) ?? 128
        let size = try fields.requiredInteger("moe_intermediate_size", in: 1...ModelConfig.widthLimit)
        var shape = ExpertShape(
            count: count, each: try fields.integer("num_experts_per_tok", in: 1...min(count, 256)) ?? min(count, 8),
            size: size, normalizes: try fields.boolean("norm_topk_prob") ?? true)
        shape.scoring.isSigmoid = true
        shape.scoring.choiceBias = "gate.e_score_correction_bias"
        shape.scoring.factor = Float(try fields.number("routed_scaling_factor", in: 1e-6...1e6) ?? 1)
        shape.names.shared = "shared_experts"
        let sharers = try fields.integer("n_shared_experts", in: 0...256) ?? 1
        shape.shared = sharers > 0 ? sharers * size : nil
        shape.sharedHasGate = false
        self.shape = shape
    }
}
