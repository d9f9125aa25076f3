import Tensors

/// What the norms of layers with norms on both sides of each block are called.
struct SandwichNames {
    /// Before attention.
    var beforeAttention = "input_layernorm"
    /// Behind attention.
    var behindAttention = "post_attention_layernorm"
    /// Before the MLP.
    var beforeMLP = "pre_feedforward_layernorm"
    /// Behind the MLP.
    var behindMLP = "post_feedforward_layernorm"
}

/// In what layers with norms on both sides of each block differ.
struct SandwichLayers {
    /// How a layer attends.
    var attention: (Int) -> AttentionShape
    /// Whether queries, keys and values have biases, and whether attention's output has one.
    var biases: (input: Bool, output: Bool) = (false, false)
    /// What of queries and keys is normalised before rotation.
    var headNorms = QueryKeyNorms.Kind.none
    /// What is added to the weights of the norms.
    var normAddend: Float = 0
    /// What the norms are called.
    var names = SandwichNames()
    /// What the projections of the MLP are called, and the function on its gates.
    var mlp: (names: GatedNames, function: MLPFunction) = (.usual, .silu)
    /// Factor on the table's token vectors.
    var embeddingScale: Float = 1
    /// What becomes of logits.
    var logitTerms = LogitTerms()
    /// A cache that all layers share, which need it at different times; nil gives each its own.
    var cache: CacheID?

    /// Layers that attend so.
    init(_ attention: @escaping (Int) -> AttentionShape) { self.attention = attention }
}

/// Layers with a norm before and a norm behind each block, as Gemma and GLM have them.
struct Sandwich: Network {
    /// One block: attention and gated MLP, each between two norms and added to the residual stream.
    struct Layer {
        let inputNorm: RMSNorm
        let attention: Attention
        let postAttentionNorm: RMSNorm
        let preMLPNorm: RMSNorm
        let mlp: GatedMLP
        let postMLPNorm: RMSNorm

        /// Takes the tensors under `layers.N`.
        init(_ scope: ModelScope, _ kind: SandwichLayers, layer: Int) throws(CheckpointError) {
            func norm(_ name: String) throws(CheckpointError) -> RMSNorm {
                try RMSNorm(scope.at(name), addend: kind.normAddend)
            }
            inputNorm = try norm(kind.names.beforeAttention)
            attention = try Attention(
                scope.at("self_attn"), kind.attention(layer), layer: layer, biases: kind.biases,
                norms: kind.headNorms, cache: kind.cache)
            postAttentionNorm = try norm(kind.names.behindAttention)
            preMLPNorm = try norm(kind.names.beforeMLP)
            mlp = try GatedMLP(scope.at("mlp"), names: kind.mlp.names, kind.mlp.function)
            postMLPNorm = try norm(kind.names.behindMLP)
            scope.plan.reserve(.branch, floats: scope.config.hiddenSize)
        }

        /// Advances the residual stream.
        func forward(_ step: inout Step) {
            inputNorm(step.residual, into: step.normed, step)
            attention.attend(step.normed, &step)
            step.addBranch(postAttentionNorm) { branch, step in
                attention.output(step.attended, addingTo: branch, step)
            }
            preMLPNorm(step.residual, into: step.normed, step)
            step.addBranch(postMLPNorm) { branch, step in mlp(step.normed, addingTo: branch, step) }
        }
    }

    let embedding: VocabEmbedding
    let layers: [Layer]
    let norm: (any RowNorm)?
    let logitTerms: LogitTerms
    private let embeddingScale: Float

    /// Takes every tensor but a head's.
    init(_ root: ModelScope, _ kind: SandwichLayers) throws(CheckpointError) {
        embedding = try VocabEmbedding(root.at("model.embed_tokens"))
        layers = try root.layers("model.layers") { scope, index throws(CheckpointError) in
            try Layer(scope, kind, layer: index)
        }
        norm = try RMSNorm(root.at("model.norm"), addend: kind.normAddend)
        (embeddingScale, logitTerms) = (kind.embeddingScale, kind.logitTerms)
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, scale: embeddingScale, step)
        for layer in layers { layer.forward(&step) }
    }
}
