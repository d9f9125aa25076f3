package import Tensors

/// The floats behind the cache slots: keys and values of every layer, in one stretch of zeroed memory that is touched
/// as it is used.
///
/// ```
/// layer 0: keys [slots][heads][dimension] · values [slots][heads][dimension] · layer 1: keys …
/// ```
package final class KeyValueStore {
    /// Slots of each layer.
    package let slots: Int
    /// Bytes of keys and values of one slot over all layers.
    package let bytesPerSlot: Int
    private let memory: AlignedBuffer
    private let layerStride: Int
    private let dtype: DType

    /// Reserves memory for so many slots; throws `outOfMemory` when there is none.
    init(_ config: ModelConfig, shard: ShardPlan, dtype: DType, slots: Int) throws(CheckpointError) {
        let row = shard.keyValueHeads.count * config.headDimension * dtype.size
        // A multiple of a cache line, so that every plane starts on one.
        let plane = (slots * row + 63) / 64 * 64
        let byteCount = 2 * config.layerCount * plane
        guard let memory = AlignedBuffer(byteCount: byteCount) else { throw .outOfMemory(byteCount: byteCount) }
        self.memory = memory
        self.slots = slots
        self.dtype = dtype
        layerStride = plane
        bytesPerSlot = 2 * config.layerCount * row
    }

    /// Keys and values of a layer.
    func layer(_ index: Int) -> KeyValueLayer {
        let keys = memory.pointer + 2 * index * layerStride
        return KeyValueLayer(keys: keys, values: keys + layerStride, dtype: dtype)
    }

    /// Bytes of keys and values of one slot over all layers of all ranks, known before anything is loaded.
    package static func bytesPerSlot(
        _ config: ModelConfig, dtype: DType, ranks: Int = 1
    ) throws(CheckpointError) -> Int {
        var heads = 0
        for index in 0..<ranks {
            let rank = ShardRank(index: index, count: ranks)
            heads += try ShardPlan(config, rank: rank, modelPath: "config.json").keyValueHeads.count
        }
        return 2 * config.layerCount * heads * config.headDimension * dtype.size
    }
}
