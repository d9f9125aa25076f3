/// Llama 2 and 3, Mistral, SmolLM2, TinyLlama and their kin: pre-norm layers of rotary attention and a SiLU-gated MLP.
///
/// Touvron et al. 2023 (arXiv:2302.13971, 2307.09288); grouped queries by Ainslie et al. 2023 (arXiv:2305.13245).
struct Llama: Decoder {
    /// One block: attention and MLP, each behind a norm and added to the residual stream.
    struct Layer {
        let inputNorm: RMSNorm
        let attention: Attention
        let postAttentionNorm: RMSNorm
        let mlp: GatedMLP

        /// Takes the tensors under `model.layers.N`.
        init(_ scope: WeightScope, index: Int) throws(CheckpointError) {
            inputNorm = try RMSNorm(scope.at("input_layernorm"))
            attention = try Attention(
                scope.at("self_attn"), layer: index,
                inputBias: scope.config.attentionInputBias, outputBias: scope.config.attentionOutputBias)
            postAttentionNorm = try RMSNorm(scope.at("post_attention_layernorm"))
            mlp = try GatedMLP(scope.at("mlp"), bias: scope.config.mlpBias)
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
