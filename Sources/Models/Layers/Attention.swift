import Tensors

/// Self-attention, with rotary positions or without; several query heads may share a key-value head.
///
/// Queries, keys and values are one product; rotation, head norms and the cache write are one pass over its result.
struct Attention {
    let isLast: Bool
    /// Heads of this rank.
    let heads: AttentionHeads
    let shape: AttentionShape
    let cache: CacheID
    /// Whether it computes queries alone, and sees the keys and values of an earlier layer.
    let reusesKeys: Bool
    let rotary: RotaryID?
    let qkv: ColumnParallelLinear
    let output: RowParallelLinear
    let norms: QueryKeyNorms
    let sinks: VectorID?

    /// Takes its tensors under the names that `names` has, and those of norms and sinks where it has any. `cache` is one that it
    /// shares with other layers, which need it at other times, or with `reusesKeys` that of an earlier layer, whose keys and values it
    /// takes.
    init(
        _ scope: ModelScope, _ shape: AttentionShape, layer: Int, names: AttentionNames = .usual,
        biases: (input: Bool, output: Bool) = (false, false), norms kind: QueryKeyNorms.Kind = .none,
        cache shared: CacheID? = nil, reusesKeys: Bool = false
    ) throws(CheckpointError) {
        let plan = scope.plan
        let config = scope.config
        let size = shape.heads.dimension
        let parts = try plan.shard.heads(shape.heads, modelPath: plan.modelPath)
        isLast = layer == config.layerCount - 1
        heads = AttentionHeads(query: parts.query.count, keyValue: parts.keyValue.count, dimension: size)
        self.shape = shape
        self.reusesKeys = reusesKeys
        cache = shared ?? plan.cache(KeyValueShape(heads: heads.keyValue, dimension: size, window: shape.window))
        rotary = shape.rotary.map { plan.rotary($0) }

        let kinds = reusesKeys ? [parts.query] : [parts.query, parts.keyValue, parts.keyValue]
        let rows = kinds.map { $0.scaled(by: size) }
        func slices(_ kind: String, _ shape: (Int) -> [Int]) -> [TensorSlice] {
            names.slices(rows, prefix: scope.prefix, kind: kind, shape: shape)
        }
        qkv = try ColumnParallelLinear(
            plan, name: scope.prefix + ".qkv", weights: slices("weight") { [$0, config.hiddenSize] },
            biases: biases.input ? slices("bias") { [$0] } : [])
        output = try RowParallelLinear(
            scope.at(names.output), outputs: config.hiddenSize, columns: parts.query.scaled(by: size),
            bias: biases.output)
        norms = try QueryKeyNorms(kind, scope, parts, shape.heads, hasKeys: !reusesKeys)
        let sinkName = scope.at("sinks").prefix
        sinks =
            shape.hasSinks
            ? try plan.vector(sinkName, [TensorSlice(sinkName, shape: [shape.heads.query], rows: parts.query.range)])
            : nil
        if shape.normalizesValues { plan.reserve(.squares, floats: 1) }
        let queries = heads.query * size
        plan.reserve(.fused, floats: heads.fusedSize)
        plan.reserve(.query, floats: queries)
        plan.reserve(.attended, numbers: queries)
    }

    /// Writes the rows' keys and values, lets every row attend to what it sees of its sequence, and adds the result to the
    /// residual stream; in the last layer only rows whose answers are wanted go on from there.
    ///
    /// `bias` is what the distance of positions adds to scores.
    func callAsFunction(
        _ x: UnsafeRawPointer, bias: (numbers: UnsafePointer<Float>, reach: Int)? = nil, _ step: inout Step
    ) {
        attend(x, bias: bias, &step)
        output(step.attended, addingTo: step.residual, step)
    }

    /// The same, up to what the output's projection takes.
    func attend(
        _ x: UnsafeRawPointer, bias: (numbers: UnsafePointer<Float>, reach: Int)? = nil, _ step: inout Step
    ) {
        var sight = shape.sight
        sight.bias = bias
        sight.sinks = step.weights[sinks]
        let memory = step.cache(cache)
        qkv(x, into: step.fused, step)
        norms.normalizeRows(step.fused, heads, step)
        if shape.normalizesValues, !reusesKeys { norms.normalizeValues(step.fused, heads, step) }
        step.compute.qkNormRopeStore(
            step.fused, rows: step.rows, heads: heads, rotary: step.rotary(rotary), norm: norms.ofHeads(step),
            positions: step.positions, writeSlots: memory.writeSlots, cache: memory.layer, storesKeys: !reusesKeys,
            query: step.query)
        // A row that becomes a sequence of its own keeps what it sees when that is all before it, or everything.
        if isLast, sight.after == 0 || sight.after == nil && sight.before == nil && bias == nil {
            step.dropUnwantedRows(querySize: heads.query * heads.dimension, seesAll: sight.after == nil)
        }
        step.compute.attention(
            step.query, heads: heads, cache: memory.layer, sequences: step.sequences,
            sequenceCount: step.sequenceCount, slots: memory.slots, scale: shape.scale, sight: sight,
            dtype: step.dtype, into: step.attended)
    }
}

/// What the projections of an attention layer are called.
enum AttentionNames {
    /// `q_proj`, `k_proj`, `v_proj` and `o_proj`.
    static var usual: AttentionNames { .apart(query: "q_proj", key: "k_proj", value: "v_proj", output: "o_proj") }

    /// Three tensors, and that of the output.
    case apart(query: String, key: String, value: String, output: String)
    /// One tensor with the rows of queries, keys and values below each other, and that of the output.
    case stacked(String, output: String)
    /// One tensor in which the rows of a key-value head stand behind those of the `queries` heads that share it, `size` rows each,
    /// and that of the output.
    case grouped(String, output: String, queries: Int, size: Int)

    /// The output's projection.
    var output: String {
        switch self {
        case .apart(_, _, _, let output), .stacked(_, let output), .grouped(_, let output, _, _): output
        }
    }

    /// A rank's rows of queries, keys and values; `shape` makes a tensor's shape of its rows.
    func slices(_ rows: [ShardRange], prefix: String, kind: String, shape: (Int) -> [Int]) -> [TensorSlice] {
        switch self {
        case .apart(let query, let key, let value, _):
            return zip([query, key, value], rows).map { name, part in
                TensorSlice("\(prefix).\(name).\(kind)", shape: shape(part.total), rows: part.range)
            }
        case .stacked(let name, _):
            var start = 0
            return rows.map { part in
                defer { start += part.total }
                return TensorSlice(
                    "\(prefix).\(name).\(kind)", shape: shape(rows.reduce(0) { $0 + $1.total }),
                    rows: start + part.range.lowerBound..<start + part.range.upperBound)
            }
        case .grouped(let name, _, let queries, let size):
            let total = shape(rows.reduce(0) { $0 + $1.total })
            return zip(rows, [queries, 1, 1]).enumerated().flatMap { part, heads in
                stride(from: heads.0.range.lowerBound / size, to: heads.0.range.upperBound / size, by: 1).map { head in
                    // Queries, then the key, then the value of each group.
                    let place = head / heads.1 * (queries + 2) + (part == 0 ? head % queries : queries + part - 1)
                    return TensorSlice(
                        "\(prefix).\(name).\(kind)", shape: total, rows: place * size..<(place + 1) * size)
                }
            }
        }
    }
}
