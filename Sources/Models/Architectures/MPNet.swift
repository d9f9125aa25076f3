import Tensors

#if canImport(Glibc)
    import Glibc
#endif

extension Architecture {
    /// MPNet (Song et al. 2020, arXiv:2004.09297): BERT's layers, with a bias by the distance of positions on all scores.
    static let mpnetKin: [Architecture] = {
        let mpnet = Architecture(
            "MPNetModel", modelType: "mpnet", defaults: Defaults(maxPositions: 514, padsPositions: true), gguf: nil,
            answers: .vectors(.rows(.mean)), isBidirectional: true, keys: MPNetKeys.init
        ) { root, keys throws(CheckpointError) in try MPNet(root, keys) }
        return [mpnet, mpnet.named("MPNetForMaskedLM", .vectors(.rows(.mean)))]
    }()
}

/// What MPNet reads of a configuration beside the common keys.
struct MPNetKeys {
    /// What it has in common with BERT.
    let bert: BertKeys
    /// Kinds of distances that scores tell apart.
    let buckets: Int

    /// Reads the keys.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        bert = try BertKeys(fields)
        buckets = try fields.integer("relative_attention_num_buckets", in: 4...4096) ?? 32
    }
}

/// BERT's layers under other names, without token types.
struct MPNet: Network {
    let embedding: VocabEmbedding
    let positions: LookupTable
    let embeddingNorm: LayerNorm
    let distances: DistanceBias
    let layers: [PostNormLayer]
    let positionLimit: Int?
    /// None: the last layer ends in one.
    var norm: (any RowNorm)? { nil }

    /// Takes the tensors below `mpnet.` or at the root.
    init(_ root: ModelScope, _ keys: MPNetKeys) throws(CheckpointError) {
        let (plan, config) = (root.plan, root.config)
        let scope = plan.has("mpnet.embeddings.word_embeddings.weight") ? root.at("mpnet") : root
        plan.passOver(scope.at("pooler").prefix, "lm_head.")
        let place = scope.at("embeddings")
        // The padding's id is MPNet's own, whatever the configuration says.
        let first = 2
        embedding = try VocabEmbedding(place.at("word_embeddings"))
        positions = try LookupTable(
            place.at("position_embeddings"), rows: config.maxPositionEmbeddings, offset: first)
        embeddingNorm = try LayerNorm(
            place.at("LayerNorm"), size: config.hiddenSize, epsilon: keys.bert.epsilon)
        positionLimit = config.maxPositionEmbeddings - first
        var shape = try AttentionShape(root)
        (shape.rotary, shape.sight) = (nil, .full)
        distances = try DistanceBias(
            scope.at("encoder.relative_attention_bias"), buckets: keys.buckets, heads: shape.heads)
        let cache = try plan.sharedCache(shape.heads)
        let names = AttentionNames.apart(query: "q", key: "k", value: "v", output: "o")
        layers = try scope.layers("encoder.layer") { [shape] layer, index throws(CheckpointError) in
            try PostNormLayer(
                attention: Attention(
                    layer.at("attention.attn"), shape, layer: index, names: names, biases: (true, true),
                    cache: cache),
                attentionNorm: layer.at("attention.LayerNorm"), mlp: layer, epsilon: keys.bert.epsilon,
                keys.bert.function)
        }
    }

    func forward(_ step: inout Step) {
        embedding(step.tokens, into: step.residual, step)
        positions(step.positions, addingTo: step.residual, step)
        embeddingNorm(inPlace: step.residual, into: step.normed, step)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: distances.count) { table in
            distances.fill(table.baseAddress!, step)
            let bias = (numbers: UnsafePointer(table.baseAddress!), reach: DistanceBias.reach)
            for layer in layers { layer.forward(bias: bias, &step) }
        }
    }
}

/// What the distance of two positions adds to their score: a learned number for each head and bucket of distances (Raffel
/// et al. 2019, arXiv:1910.10683), those beyond `reach` in one.
struct DistanceBias {
    /// Distances from here on share a bucket.
    static let reach = 128
    let weight: VectorID
    let buckets: Int
    let totalHeads: Int
    /// Heads of this rank.
    let heads: Range<Int>

    /// Takes `NAME.weight`, `[buckets][heads]`.
    init(_ scope: ModelScope, buckets: Int, heads: AttentionHeads) throws(CheckpointError) {
        let name = scope.prefix + ".weight"
        weight = try scope.plan.vector(name, [TensorSlice(name, shape: [buckets, heads.query])])
        self.heads = try scope.plan.shard.heads(heads, modelPath: scope.plan.modelPath).query.range
        totalHeads = heads.query
        self.buckets = buckets
    }

    /// Numbers of the table that attention takes.
    var count: Int { heads.count * (2 * Self.reach + 1) }

    /// Spreads the learned numbers over all distances.
    func fill(_ table: UnsafeMutablePointer<Float>, _ step: borrowing Step) {
        let numbers = step.weights[weight]
        let width = 2 * Self.reach + 1
        for distance in -Self.reach...Self.reach {
            let row = numbers + bucket(of: distance) * totalHeads
            for (index, head) in heads.enumerated() { table[index * width + distance + Self.reach] = row[head] }
        }
    }

    /// Half of the buckets are for keys behind the row; of each half the first half has a distance each, the others grow.
    private func bucket(of distance: Int) -> Int {
        let half = buckets / 2
        let exact = half / 2
        let start = distance > 0 ? half : 0
        let size = abs(distance)
        if size < exact { return start + size }
        let growth = logf(Float(size) / Float(exact)) / Float(log(Double(Self.reach) / Double(exact)))
        return start + min(half - 1, exact + Int(growth * Float(half - exact)))
    }
}
