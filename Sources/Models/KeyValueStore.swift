import Glibc
import Tensors

/// What an attention layer keeps for every slot on this rank: a key and a value for each of its heads.
///
/// Layers of a network may keep different things. What is no row for each slot (a recurrent state) will be another kind of shape
/// beside this one, with its own place in the store and its own slots in `CacheView`.
struct KeyValueShape: Equatable {
    /// Key-value heads of this rank.
    let heads: Int
    /// Numbers of a head.
    let dimension: Int
    /// Positions that a row sees, itself among them; nil where it sees all before it.
    var window: Int?

    /// Bytes of the keys, or the values, of one slot.
    func rowBytes(_ dtype: CacheDType) -> (elements: Int, scales: Int) {
        (heads * dimension * dtype.size, dtype.isScaled ? heads * MemoryLayout<Float>.size : 0)
    }
}

/// A layer's place in the key-value store, by the order in which it was planned.
struct CacheID: Equatable { let index: Int }

/// The numbers behind the cache slots: keys and values of every layer, in one stretch of zeroed memory that is touched
/// as it is used.
///
/// ```
/// layer 0: keys [heads][slots][dimension] · values · key scales [heads][slots] · value scales · layer 1: keys …
/// ```
/// A head's rows lie together, so that attention, which works head by head, reads neighbouring slots as one stream.
/// Only int8 has scales.
final class KeyValueStore {
    /// Where a layer's planes begin and how long they are, in bytes.
    private struct Place {
        let slots: Int
        let hasWindow: Bool
        let offset: Int
        let plane: Int
        let scalePlane: Int
    }

    private let dtype: CacheDType
    private let places: [Place]
    private let byteCount: Int
    /// Memory that outlives this process; nil: it has its own.
    private let descriptor: Int32?
    private var memory: AlignedBuffer?

    /// Reserves memory for so many slots of each layer, those with a window apart where they have their own; throws `outOfMemory`
    /// when there is none. What an earlier process left behind `descriptor` in a store of the same size is there again.
    init(
        _ shapes: [KeyValueShape], dtype: CacheDType, slots: Int, windowSlots: Int? = nil, descriptor: Int32? = nil
    ) throws(CheckpointError) {
        self.dtype = dtype
        self.descriptor = descriptor
        var end = 0
        places = shapes.map { shape in
            let row = shape.rowBytes(dtype)
            let slots = shape.window == nil ? slots : windowSlots ?? slots
            // Multiples of a cache line, so that every plane starts on one.
            let place = Place(
                slots: slots, hasWindow: shape.window != nil && windowSlots != nil, offset: end,
                plane: (slots * row.elements + 63) / 64 * 64,
                scalePlane: (slots * row.scales + 63) / 64 * 64)
            end += 2 * (place.plane + place.scalePlane)
            return place
        }
        byteCount = end
        try reserve()
    }

    /// Takes zeroed memory again after `release`.
    func reserve() throws(CheckpointError) {
        guard let memory = AlignedBuffer(byteCount: byteCount, descriptor: descriptor) else {
            throw .outOfMemory(purpose: "the KV pool (--max-total-tokens)", byteCount: byteCount)
        }
        self.memory = memory
    }

    /// Gives the memory back to the system, and with it all that was kept; no step may run until `reserve`.
    func release() {
        memory = nil
        if let descriptor { ftruncate(descriptor, 0) }
    }

    /// Keys and values of a layer.
    subscript(id: CacheID) -> KeyValueLayer {
        guard let memory else { preconditionFailure("the cache has memory while a step runs") }
        let place = places[id.index]
        let keys = memory.pointer + place.offset
        let scales = (keys + 2 * place.plane).assumingMemoryBound(to: Float.self)
        return KeyValueLayer(
            keys: keys, values: keys + place.plane, dtype: dtype, slots: place.slots,
            scales: dtype.isScaled ? (scales, scales + place.scalePlane / MemoryLayout<Float>.size) : nil)
    }

    /// The layer has slots of its own, fewer than the others'.
    func hasWindow(_ id: CacheID) -> Bool { places[id.index].hasWindow }

    /// Bytes of keys, values and scales of one slot over all layers.
    static func bytesPerSlot(_ shapes: [KeyValueShape], dtype: CacheDType) -> Int {
        shapes.reduce(0) { sum, shape in
            let row = shape.rowBytes(dtype)
            return sum + 2 * (row.elements + row.scales)
        }
    }
}

/// A layer's cache as one step sees it: its memory, and which of its slots belong to which row.
struct CacheView {
    /// Keys and values.
    let layer: KeyValueLayer
    /// `[T]` slots that take the rows' keys and values.
    let writeSlots: UnsafePointer<Int32>
    /// Slots of all sequences in position order.
    let slots: UnsafePointer<Int32>
}
