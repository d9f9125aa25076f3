import Tensors

extension Architecture {
    /// BERT (Devlin et al. 2018, arXiv:1810.04805), as vectors of single texts and as scores of pairs; MiniLM, E5, BGE and their
    /// kin.
    static let bertKin: [Architecture] = {
        let bert = Architecture(
            "BertModel", modelType: "bert", defaults: Defaults(maxPositions: 512), gguf: .bert,
            answers: .vectors(.first), isBidirectional: true, keys: BertKeys.init
        ) { root, keys throws(CheckpointError) in try Bert(root, keys, prefix: "bert") }
        return [
            bert, bert.named("BertForMaskedLM", .vectors(.first)),
            // Izacard et al. 2021 (arXiv:2112.09118), trained with the mean; SGLang takes the first row of it too.
            bert.named("Contriever", .vectors(.rows(.mean), sglang: .first)),
            bert.named(
                "BertForSequenceClassification",
                .crossEncoder(first: "bert.pooler.dense", second: "classifier", at: .first)),
        ]
    }()

    /// RoBERTa in many languages (Conneau et al. 2019, arXiv:1911.02116) and its elder: BERT's layers, positions from the
    /// padding's id on, another head for pairs.
    static let xlmRobertaKin: [Architecture] = {
        let vectors = Answers.vectors(.first, mayBeSparse: true)
        let roberta = Architecture(
            "XLMRobertaModel", modelType: "xlm-roberta", defaults: Defaults(maxPositions: 514, padsPositions: true),
            gguf: nil, answers: vectors, isBidirectional: true, keys: BertKeys.init
        ) { root, keys throws(CheckpointError) in try Bert(root, keys, prefix: "roberta", padsPositions: true) }
        let pairs = Answers.crossEncoder(first: "classifier.dense", second: "classifier.out_proj", at: .first)
        return [
            roberta, roberta.named("XLMRobertaForMaskedLM", vectors),
            roberta.named("XLMRobertaForSequenceClassification", pairs),
            roberta.named("RobertaModel", vectors), roberta.named("RobertaForMaskedLM", vectors),
            roberta.named("RobertaForSequenceClassification", pairs),
        ]
    }()
}

extension GGUFDialect {
    /// BERT and XLM-RoBERTa, whose table of positions the converter cuts behind the padding.
    static let bert = GGUFDialect(
        "bert",
        roots: [
            "token_embd": "embeddings.word_embeddings", "position_embd": "embeddings.position_embeddings",
            "token_types": "embeddings.token_type_embeddings", "token_embd_norm": "embeddings.LayerNorm",
        ],
        layers: "encoder.layer",
        parts: [
            "attn_q": "attention.self.query", "attn_k": "attention.self.key", "attn_v": "attention.self.value",
            "attn_output": "attention.output.dense", "attn_output_norm": "attention.output.LayerNorm",
            "ffn_up": "intermediate.dense", "ffn_down": "output.dense", "layer_output_norm": "output.LayerNorm",
        ])
}

extension Answers {
    /// A score for a pair from one row: a product with tanh, a product, and what sentence-transformers left in the
    /// configuration.
    static func crossEncoder(first: String, second: String, at pooling: Pooling) -> Answers {
        .scores(.crossEncoder, pooling) { fields throws(CheckpointError) in
            let hidden = try fields.requiredInteger("hidden_size", in: 1...(1 << 20))
            return [
                .linear(first, inputs: hidden, outputs: hidden, .present, .tanh),
                .linear(second, inputs: hidden, outputs: try labelCount(fields), .present, try scoreActivation(fields)),
            ]
        }
    }
}

/// What becomes of a cross-encoder's score; nothing unless the configuration says so.
func scoreActivation(_ fields: ConfigFields) throws(CheckpointError) -> Activation {
    try Activation(fields, "sbert_ce_default_activation_function") ?? .identity
}

/// What BERT's kin read of a configuration beside the common keys.
struct BertKeys {
    /// Epsilon of the norms.
    let epsilon: Float
    /// The function between the products of the MLP.
    let function: MLPFunction
    /// Row of the table of positions that position 0 has, where it has padding.
    let paddedPositions: Int

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        epsilon = Float(try fields.number("layer_norm_eps", in: 0...1) ?? 1e-12)
        function = try MLPFunction(fields, "hidden_act", default: "gelu")
        paddedPositions = try Models.paddedPositions(fields)
        _ = try fields.choice("position_embedding_type", of: ["absolute"])
        guard try fields.boolean("is_decoder") ?? false == false else {
            throw fields.error("is_decoder", "is not supported for this architecture")
        }
    }
}

/// Layers with a norm behind each block that see a text both ways; words, positions and token types are added up.
struct Bert: Network {
    let embedding: VocabEmbedding
    let positions: LookupTable
    let tokenTypes: LookupTable
    let embeddingNorm: LayerNorm
    let layers: [PostNormLayer]
    let positionLimit: Int?
    /// None: the last layer ends in one.
    var norm: (any RowNorm)? { nil }

    /// Takes the tensors below `PREFIX.` or, as checkpoints for vectors have them, at the root; those of heads that nobody
    /// asked for are passed over.
    init(
        _ root: ModelScope, _ keys: BertKeys, prefix: String, padsPositions: Bool = false
    ) throws(CheckpointError) {
        let (plan, config) = (root.plan, root.config)
        let scope = plan.has(prefix + ".embeddings.word_embeddings.weight") ? root.at(prefix) : root
        plan.passOver(scope.at("pooler").prefix, "cls.", "lm_head.")
        let place = scope.at("embeddings")
        let first = padsPositions ? keys.paddedPositions : 0
        embedding = try VocabEmbedding(place.at("word_embeddings"))
        positions = try LookupTable(
            place.at("position_embeddings"), rows: config.maxPositionEmbeddings, offset: first)
        tokenTypes = try LookupTable(place.at("token_type_embeddings"), rows: config.tokenTypeCount)
        embeddingNorm = try LayerNorm(place.at("LayerNorm"), size: config.hiddenSize, epsilon: keys.epsilon)
        positionLimit = config.maxPositionEmbeddings - first
        var shape = try AttentionShape(root)
        (shape.rotary, shape.sight) = (nil, .full)
        let cache = try plan.sharedCache(shape.heads)
        let names = AttentionNames.apart(
            query: "self.query", key: "self.key", value: "self.value", output: "output.dense")
        layers = try scope.layers("encoder.layer") { [shape] layer, index throws(CheckpointError) in
            try PostNormLayer(
                attention: Attention(
                    layer.at("attention"), shape, layer: index, names: names, biases: (true, true), cache: cache),
                attentionNorm: layer.at("attention.output.LayerNorm"), mlp: layer, epsilon: keys.epsilon,
                keys.function)
        }
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        positions(step.positions, addingTo: step.residual, step)
        tokenTypes(step.tokenTypes, addingTo: step.residual, step)
        embeddingNorm(inPlace: step.residual, into: step.normed, step)
        for layer in layers { layer.forward(&step) }
    }
}
