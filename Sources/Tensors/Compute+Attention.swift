import CKernels

extension Compute {
    /// Splits fused projections, norms and rotates queries and keys, and stores keys and values in their slots.
    ///
    /// `qkv` is float32 `[rows][query heads | key heads | value heads][dimension]`. Row t has position `positions[t]`
    /// and is stored in slot `writeSlots[t]`, rounded to the cache's dtype; int8 scales depend on the row alone. `query`
    /// receives float32 `[rows][query heads][dimension]`. Without `storesKeys` rows are queries alone, and the cache stays.
    package func qkNormRopeStore(
        _ qkv: UnsafePointer<Float>, rows: Int, heads: AttentionHeads, rotary: RotaryTable, norm: HeadNorm? = nil,
        positions: UnsafePointer<Int32>, writeSlots: UnsafePointer<Int32>, cache: KeyValueLayer,
        storesKeys: Bool = true, query: UnsafeMutablePointer<Float>
    ) {
        precondition(rotary.rotaryDimension <= heads.dimension, "rotation stays inside a head")
        var shape = heads.kernel
        if !storesKeys { shape.kv_heads = 0 }
        var table = kernels_rotary(
            cosines: rotary.cosines, sines: rotary.sines, rotary_dim: rotary.rotaryDimension,
            interleaved: rotary.isInterleaved, query_factors: rotary.queryFactors)
        var norms = kernels_head_norm(
            query_weight: norm?.queryWeight, key_weight: norm?.keyWeight, epsilon: norm?.epsilon ?? 0)
        var layer = cache.kernel
        kernels_rope_store(handle, qkv, rows, &shape, &table, &norms, positions, writeSlots, &layer, query)
    }

    /// Attention with shared key-value heads over cache slots.
    ///
    /// A row sees of its sequence what `sight` says. `query` is float32
    /// `[rows][query heads][dimension]`, `out` `[rows][query heads * dimension]` of `dtype`, whatever the cache's.
    /// Reduction runs over fixed blocks of positions in position order, so a row's bits depend on its sequence's
    /// contents only.
    package func attention(
        _ query: UnsafePointer<Float>, heads: AttentionHeads, cache: KeyValueLayer,
        sequences: UnsafePointer<AttentionSequence>, sequenceCount: Int, slots: UnsafePointer<Int32>, scale: Float,
        sight: AttentionSight = .causal, dtype: DType, into out: UnsafeMutableRawPointer
    ) {
        var shape = heads.kernel
        var layer = cache.kernel
        var seen = sight.kernel
        // AttentionSequence and kernels_sequence are both four Int32 in the same order.
        let plain = UnsafeRawPointer(sequences).assumingMemoryBound(to: kernels_sequence.self)
        kernels_attention(handle, query, &shape, &layer, plain, sequenceCount, slots, scale, &seen, dtype.kernel, out)
    }
}
