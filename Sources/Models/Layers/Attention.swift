import Tensors

/// Self-attention with rotary positions; several query heads may share a key-value head.
///
/// Queries, keys and values are one product; rotation, head norms and the cache write are one pass over its result.
struct Attention {
    let isLast: Bool
    /// Heads of this rank.
    let heads: AttentionHeads
    let shape: AttentionShape
    let cache: CacheID
    let rotary: RotaryID
    let qkv: ColumnParallelLinear
    let output: RowParallelLinear
    let queryNorm: VectorID?
    let keyNorm: VectorID?
    let epsilon: Float

    /// Takes `q_proj`, `k_proj`, `v_proj`, `o_proj` and, when heads are normalised, `q_norm` and `k_norm`.
    init(
        _ scope: ModelScope, _ shape: AttentionShape, layer: Int,
        biases: (input: Bool, output: Bool) = (false, false), normalizesHeads: Bool = false
    ) throws(CheckpointError) {
        let plan = scope.plan
        let config = scope.config
        let size = shape.heads.dimension
        let parts = try plan.shard.heads(shape.heads, modelPath: plan.modelPath)
        isLast = layer == config.layerCount - 1
        heads = AttentionHeads(query: parts.query.count, keyValue: parts.keyValue.count, dimension: size)
        self.shape = shape
        epsilon = config.normEpsilon
        cache = plan.cache(KeyValueShape(heads: heads.keyValue, dimension: size))
        rotary = plan.rotary(shape.rotary)

        let named = [("q_proj", parts.query), ("k_proj", parts.keyValue), ("v_proj", parts.keyValue)]
        func slices(_ kind: String, _ shape: (Int) -> [Int]) -> [TensorSlice] {
            named.map { name, part in
                let rows = part.scaled(by: size)
                return TensorSlice("\(scope.prefix).\(name).\(kind)", shape: shape(rows.total), rows: rows.range)
            }
        }
        qkv = try ColumnParallelLinear(
            plan, name: scope.prefix + ".qkv", weights: slices("weight") { [$0, config.hiddenSize] },
            biases: biases.input ? slices("bias") { [$0] } : [])
        output = try RowParallelLinear(
            scope.at("o_proj"), outputs: config.hiddenSize, columns: parts.query.scaled(by: size), bias: biases.output)
        if normalizesHeads {
            let names = (scope.at("q_norm").prefix + ".weight", scope.at("k_norm").prefix + ".weight")
            queryNorm = try plan.vector(names.0, [TensorSlice(names.0, shape: [size])])
            keyNorm = try plan.vector(names.1, [TensorSlice(names.1, shape: [size])])
        } else {
            queryNorm = nil
            keyNorm = nil
        }
        let queries = heads.query * size
        plan.reserve(.fused, floats: heads.fusedSize)
        plan.reserve(.query, floats: queries)
        plan.reserve(.attended, numbers: queries)
    }

    /// Writes the rows' keys and values, lets every row attend to its sequence up to itself, and adds the result to the
    /// residual stream; in the last layer only rows whose answers are wanted go on from there.
    func callAsFunction(_ x: UnsafeRawPointer, _ step: inout Step) {
        let memory = step.cache(cache)
        qkv(x, into: step.fused, step)
        step.compute.qkNormRopeStore(
            step.fused, rows: step.rows, heads: heads, rotary: step.rotary(rotary),
            norm: HeadNorm(queryWeight: step.weights[queryNorm], keyWeight: step.weights[keyNorm], epsilon: epsilon),
            positions: step.positions, writeSlots: memory.writeSlots, cache: memory.layer, query: step.query)
        if isLast { step.dropUnwantedRows(querySize: heads.query * heads.dimension) }
        step.compute.attention(
            step.query, heads: heads, cache: memory.layer, sequences: step.sequences,
            sequenceCount: step.sequenceCount, slots: memory.slots, scale: shape.scale, dtype: step.dtype,
            into: step.attended)
        output(step.attended, addingTo: step.residual, step)
    }
}
