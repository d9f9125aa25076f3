import JSON
import Tensors

extension Architecture {
    /// GLM-4-0414: norms on both sides of each block, half of each head rotated in neighbours.
    static let glm4 = Architecture(
        "Glm4ForCausalLM", modelType: "glm4",
        defaults: Defaults(maxPositions: 131_072, values: ["partial_rotary_factor": 0.5, "attention_bias": true]),
        gguf: GGUFDialect(
            "glm4",
            modules: [
                "post_attention_norm": "post_self_attn_layernorm", "post_ffw_norm": "post_mlp_layernorm",
                "ffn_up": "mlp.gate_up_proj",
            ]),
        keys: LlamaKeys.init
    ) { root, keys throws(CheckpointError) in
        var shape = try AttentionShape(root)
        shape.rotary?.isInterleaved = true
        var layers = SandwichLayers { [shape] _ in shape }
        layers.biases = (keys.attentionBias, false)
        layers.names = SandwichNames(
            behindAttention: "post_self_attn_layernorm", beforeMLP: "post_attention_layernorm",
            behindMLP: "post_mlp_layernorm")
        layers.mlp.names = .stacked("gate_up_proj", down: "down_proj")
        return try Sandwich(root, layers)
    }
}
