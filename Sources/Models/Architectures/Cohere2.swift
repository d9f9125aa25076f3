import JSON
import Tensors

extension Architecture {
    /// Command R7B, Command A and Aya: attention and MLP side by side behind one norm; three of four layers have a window and
    /// rotate neighbours, the fourth sees everything and does not rotate.
    ///
    /// Cohere 2025 (arXiv:2504.00698).
    static let cohere2 = Architecture(
        "Cohere2ForCausalLM", modelType: "cohere2",
        defaults: Defaults(maxPositions: 8192, values: ["tie_word_embeddings": true, "logit_scale": 0.0625]),
        gguf: GGUFDialect(
            "cohere2", keys: ["sliding_window": "attention.sliding_window", "logit_scale": "logit_scale"]),
        keys: Cohere2Keys.init
    ) { root, keys throws(CheckpointError) in
        var layers = try keys.cohere.layers(root)
        var local = layers.attention.sliding(keys.window)
        local.rotary?.isInterleaved = true
        layers.attention.rotary = nil
        layers.attentionOfLayer = { [full = layers.attention, local] in keys.kinds.isFull($0) ? full : local }
        return try SideBySide(root, layers)
    }
}

/// What Cohere 2 reads of a configuration beside the common keys.
private struct Cohere2Keys {
    /// What Cohere's decoders read.
    let cohere: CohereKeys
    /// Positions that a layer with a window sees, its own included.
    let window: Int
    /// Which layers see a window.
    let kinds: LayerKinds

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        cohere = try CohereKeys(fields)
        window = try fields.integer("sliding_window", in: 1...ModelConfig.positionLimit) ?? 4096
        kinds = try LayerKinds(fields, every: "sliding_window_pattern", usual: 4, firstIsFull: false)
    }
}

/// Layers whose attention and MLP take the same normalised rows, and are added to the residual stream together.
struct SideBySide: Network {
    /// One block.
    struct Layer {
        let norm: any RowNorm
        let attention: Attention
        let mlp: any FeedForward

        /// Advances the residual stream; in the last layer attention drops the rows that nobody wants.
        func forward(_ step: inout Step) {
            norm(step.residual, into: step.normed, step)
            let rows = step.rows
            attention.attend(step.normed, &step)
            if step.rows != rows { norm(step.residual, into: step.normed, step) }
            mlp(step.normed, addingTo: step.residual, step)
            attention.output(step.attended, addingTo: step.residual, step)
        }
    }

    let embedding: VocabEmbedding
    let layers: [Layer]
    let norm: (any RowNorm)?
    let logitTerms: LogitTerms

    /// Takes every tensor but the output head's.
    init(_ root: ModelScope, _ kind: LlamaLayers) throws(CheckpointError) {
        embedding = try VocabEmbedding(root.at("model.embed_tokens"))
        layers = try root.layers("model.layers") { scope, index throws(CheckpointError) in
            Layer(
                norm: try kind.norm(scope.at("input_layernorm")),
                attention: try kind.attention(scope.at("self_attn"), layer: index),
                mlp: try kind.feedForward(scope, layer: index))
        }
        norm = try kind.norm(root.at("model.norm"))
        logitTerms = kind.logitTerms
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        for layer in layers { layer.forward(&step) }
    }
}
