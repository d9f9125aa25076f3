import JSON
import Tensors

extension Architecture {
    /// ERNIE 4.5 (dense): Llama's layers, whose rotation pairs neighbours.
    static let ernie45 = Architecture(
        "Ernie4_5ForCausalLM", modelType: "ernie4_5",
        defaults: Defaults(
            theta: 500_000, maxPositions: 131_072, values: ["tie_word_embeddings": true],
            aliases: ["attention_bias": "use_bias", "mlp_bias": "use_bias"]),
        gguf: GGUFDialect("ernie4_5"), keys: LlamaKeys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try LlamaLayers(root, keys)
        layers.attention.rotary?.isInterleaved = true
        return try Llama(root, layers)
    }
}
