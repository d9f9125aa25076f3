import JSON

extension Architecture {
    /// Seed-OSS: Llama's layers with biases on queries, keys and values.
    static let seedOSS = Architecture(
        "SeedOssForCausalLM", modelType: "seed_oss",
        defaults: Defaults(
            maxPositions: 524_288, values: ["attention_bias": true],
            aliases: ["attention_output_bias": "attention_out_bias"]),
        gguf: GGUFDialect("seed_oss", modules: ["post_attention_norm": "post_attention_layernorm"]),
        keys: LlamaKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root, keys)
        layers.outputBias = try root.config.fields.boolean("attention_output_bias") ?? false
        return try Llama(root, layers)
    }
}
