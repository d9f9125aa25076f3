import Tensors

/// Causal self-attention with rotary positions; several query heads may share a key-value head.
///
/// Queries, keys and values are one product; rotation, head norms and the cache write are one pass over its result.
struct Attention {
    let layer: Int
    let isLast: Bool
    let heads: AttentionHeads
    let scale: Float
    let qkv: ColumnParallelLinear
    let output: RowParallelLinear
    let queryNorm: VectorID?
    let keyNorm: VectorID?
    let epsilon: Float

    /// Takes `q_proj`, `k_proj`, `v_proj`, `o_proj` and, when heads are normalised, `q_norm` and `k_norm`.
    init(
        _ scope: WeightScope, layer: Int, inputBias: Bool, outputBias: Bool = false, normalizesHeads: Bool = false
    ) throws(CheckpointError) {
        let config = scope.config
        let shard = scope.plan.shard
        let size = config.headDimension
        self.layer = layer
        isLast = layer == config.layerCount - 1
        heads = AttentionHeads(query: shard.queryHeads.count, keyValue: shard.keyValueHeads.count, dimension: size)
        scale = 1 / Float(size).squareRoot()
        epsilon = config.normEpsilon

        let parts = [("q_proj", shard.queryHeads), ("k_proj", shard.keyValueHeads), ("v_proj", shard.keyValueHeads)]
        qkv = try ColumnParallelLinear(
            scope.plan, name: scope.prefix + ".qkv",
            weights: parts.map { name, part in
                let rows = part.scaled(by: size)
                return TensorSlice(
                    "\(scope.prefix).\(name).weight", shape: [rows.total, config.hiddenSize], rows: rows.range)
            },
            biases: !inputBias
                ? []
                : parts.map { name, part in
                    let rows = part.scaled(by: size)
                    return TensorSlice("\(scope.prefix).\(name).bias", shape: [rows.total], rows: rows.range)
                })
        output = try RowParallelLinear(
            scope.at("o_proj"), outputs: config.hiddenSize, columns: shard.queryHeads.scaled(by: size), bias: outputBias
        )
        if normalizesHeads {
            let names = (scope.at("q_norm").prefix + ".weight", scope.at("k_norm").prefix + ".weight")
            queryNorm = try scope.plan.vector(names.0, [TensorSlice(names.0, shape: [size])])
            keyNorm = try scope.plan.vector(names.1, [TensorSlice(names.1, shape: [size])])
        } else {
            queryNorm = nil
            keyNorm = nil
        }
    }

    /// Writes the rows' keys and values, lets every row attend to its sequence up to itself, and adds the result to the
    /// residual stream; in the last layer only rows whose logits are wanted go on from there.
    func callAsFunction(_ x: UnsafeRawPointer, _ step: inout Step) {
        let cache = step.cache.layer(layer)
        qkv(x, into: step.fused, step)
        step.compute.qkNormRopeStore(
            step.fused, rows: step.rows, heads: heads, rotary: step.rotary,
            norm: HeadNorm(queryWeight: step.weights[queryNorm], keyWeight: step.weights[keyNorm], epsilon: epsilon),
            positions: step.positions, writeSlots: step.writeSlots, cache: cache, query: step.query)
        if isLast { step.dropUnwantedRows(querySize: heads.query * heads.dimension) }
        step.compute.attention(
            step.query, heads: heads, cache: cache, sequences: step.sequences, sequenceCount: step.sequenceCount,
            slots: step.slots, scale: scale, dtype: step.dtype, into: step.attended)
        output(step.attended, addingTo: step.residual, step)
    }
}
