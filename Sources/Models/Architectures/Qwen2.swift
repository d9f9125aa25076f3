/// Qwen2 and Qwen2.5: Llama's layers, with biases on queries, keys and values and nowhere else.
///
/// Yang et al. 2024 (arXiv:2407.10671). The biases are part of the architecture: config.json does not mention them.
struct Qwen2: Decoder {
    /// One block: attention and MLP, each behind a norm and added to the residual stream.
    struct Layer {
        let inputNorm: RMSNorm
        let attention: Attention
        let postAttentionNorm: RMSNorm
        let mlp: GatedMLP

        /// Takes the tensors under `model.layers.N`.
        init(_ scope: WeightScope, index: Int) throws(CheckpointError) {
            inputNorm = try RMSNorm(scope.at("input_layernorm"))
            attention = try Attention(scope.at("self_attn"), layer: index, inputBias: true)
            postAttentionNorm = try RMSNorm(scope.at("post_attention_layernorm"))
            mlp = try GatedMLP(scope.at("mlp"))
        }

        /// Advances the residual stream by this layer.
        func forward(_ step: inout Step) {
            inputNorm(step.residual, into: step.normed, step)
            attention(step.normed, &step)
            postAttentionNorm(step.residual, into: step.normed, step)
            mlp(step.normed, addingTo: step.residual, step)
        }
    }

    let embedding: VocabEmbedding
    let layers: [Layer]
    let norm: RMSNorm
    let head: LanguageModelHead

    /// Takes every tensor of the checkpoint.
    init(_ root: WeightScope) throws(CheckpointError) {
        embedding = try VocabEmbedding(root.at("model.embed_tokens"))
        layers = try root.layers("model.layers") { scope, index throws(CheckpointError) in
            try Layer(scope, index: index)
        }
        norm = try RMSNorm(root.at("model.norm"))
        head = try LanguageModelHead(root.at("lm_head"), tiedTo: embedding)
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        for layer in layers { layer.forward(&step) }
    }
}
