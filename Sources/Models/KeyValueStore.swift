package import Tensors

/// The numbers behind the cache slots: keys and values of every layer, in one stretch of zeroed memory that is touched
/// as it is used.
///
/// ```
/// layer 0: keys [heads][slots][dimension] · values · key scales [heads][slots] · value scales · layer 1: keys …
/// ```
/// A head's rows lie together, so that attention, which works head by head, reads neighbouring slots as one stream.
/// Only int8 has scales.
package final class KeyValueStore {
    /// Slots of each layer.
    package let slots: Int
    /// Bytes of keys, values and scales of one slot over all layers.
    package let bytesPerSlot: Int
    private let memory: AlignedBuffer
    private let dtype: CacheDType
    private let plane: Int
    private let scalePlane: Int

    /// Reserves memory for so many slots; throws `outOfMemory` when there is none.
    init(_ config: ModelConfig, shard: ShardPlan, dtype: CacheDType, slots: Int) throws(CheckpointError) {
        let row = RowSize(config, shard: shard, dtype: dtype)
        // Multiples of a cache line, so that every plane starts on one.
        plane = (slots * row.elements + 63) / 64 * 64
        scalePlane = (slots * row.scales + 63) / 64 * 64
        let byteCount = 2 * config.layerCount * (plane + scalePlane)
        guard let memory = AlignedBuffer(byteCount: byteCount) else {
            throw .outOfMemory(purpose: "the KV pool (--max-total-tokens)", byteCount: byteCount)
        }
        self.memory = memory
        self.slots = slots
        self.dtype = dtype
        bytesPerSlot = 2 * config.layerCount * row.total
    }

    /// Keys and values of a layer.
    func layer(_ index: Int) -> KeyValueLayer {
        let keys = memory.pointer + 2 * index * (plane + scalePlane)
        let scales = (keys + 2 * plane).assumingMemoryBound(to: Float.self)
        return KeyValueLayer(
            keys: keys, values: keys + plane, dtype: dtype, slots: slots,
            scales: dtype.isScaled ? (scales, scales + scalePlane / MemoryLayout<Float>.size) : nil)
    }

    /// Bytes of keys, values and scales of one slot over all layers of all ranks, known before anything is loaded.
    package static func bytesPerSlot(
        _ config: ModelConfig, dtype: CacheDType, ranks: Int = 1
    ) throws(CheckpointError) -> Int {
        var bytes = 0
        for index in 0..<ranks {
            let rank = ShardRank(index: index, count: ranks)
            let shard = try ShardPlan(config, rank: rank, modelPath: "config.json")
            bytes += 2 * config.layerCount * RowSize(config, shard: shard, dtype: dtype).total
        }
        return bytes
    }
}

/// Bytes of the keys, or the values, of one slot in one layer.
private struct RowSize {
    let elements: Int
    let scales: Int
    var total: Int { elements + scales }

    init(_ config: ModelConfig, shard: ShardPlan, dtype: CacheDType) {
        let heads = shard.keyValueHeads.count
        elements = heads * config.headDimension * dtype.size
        scales = dtype.isScaled ? heads * MemoryLayout<Float>.size : 0
    }
}
