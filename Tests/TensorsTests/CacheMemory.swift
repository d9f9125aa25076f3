import Tensors
import Testing
import Values

/// A layer's key-value cache in memory of its own, and what it holds as plain numbers.
final class CacheMemory {
    /// Which of the two halves of a cache.
    enum Plane { case keys, values }

    let heads: AttentionHeads
    let dtype: CacheDType
    let slots: Int
    private let planes: [AlignedBuffer]

    /// Zeros.
    init(_ heads: AttentionHeads, slots: Int, dtype: CacheDType) {
        self.heads = heads
        self.slots = slots
        self.dtype = dtype
        let elements = slots * heads.slotSize * dtype.size, scales = slots * heads.keyValue * 4
        planes = [elements, elements, scales, scales].map { size in
            guard let buffer = AlignedBuffer(byteCount: size) else { fatalError("no memory") }
            return buffer
        }
    }

    /// Row t of `qkv` stored in slot t, as the model stores it but without rotation.
    convenience init(_ heads: AttentionHeads, qkv: [Float], dtype: CacheDType, compute: Compute = scalarCompute()) {
        let rows = qkv.count / heads.fusedSize
        self.init(heads, slots: rows, dtype: dtype)
        var query = [Float](repeating: 0, count: rows * heads.query * heads.dimension)
        [Float(0)].withUnsafeBufferPointer { none in
            compute.qkNormRopeStore(
                qkv, rows: rows, heads: heads,
                rotary: RotaryTable(cosines: none.baseAddress!, sines: none.baseAddress!, rotaryDimension: 0),
                positions: [Int32](repeating: 0, count: rows), writeSlots: (0..<rows).map(Int32.init), cache: layer,
                query: &query)
        }
    }

    /// The cache as operations take it.
    var layer: KeyValueLayer {
        KeyValueLayer(
            keys: planes[0].pointer, values: planes[1].pointer, dtype: dtype, slots: slots,
            scales: dtype.isScaled ? (planes[2].bound(to: Float.self), planes[3].bound(to: Float.self)) : nil)
    }

    /// The scale of one head in one slot; 1 when the type has none.
    func scale(_ plane: Plane, head: Int, slot: Int) -> Float {
        dtype.isScaled ? planes[plane == .keys ? 2 : 3].bound(to: Float.self)[head * slots + slot] : 1
    }

    /// The numbers that one head's row in one slot stands for.
    func row(_ plane: Plane, head: Int, slot: Int) -> [Double] {
        let scale = Double(scale(plane, head: head, slot: slot)), first = (head * slots + slot) * heads.dimension
        let memory = planes[plane == .keys ? 0 : 1].pointer
        return (first..<first + heads.dimension).map { i in
            switch dtype {
            case .float32: Double(memory.assumingMemoryBound(to: Float.self)[i])
            case .float16: Double(memory.assumingMemoryBound(to: Float16.self)[i])
            case .bfloat16: Double(BFloat16(bits: memory.assumingMemoryBound(to: UInt16.self)[i]).float)
            case .int8: Double(memory.assumingMemoryBound(to: Int8.self)[i]) * scale
            }
        }
    }

    /// Every byte, to compare bit for bit.
    var bytes: [[UInt8]] {
        planes.map { Array(UnsafeRawBufferPointer(start: $0.pointer, count: $0.byteCount)) }
    }
}

/// A level and a cache type.
struct CacheCase: Sendable, CustomTestStringConvertible {
    var isa: KernelISA
    var dtype: CacheDType
    var testDescription: String { "\(isa.name) \(dtype)" }

    /// Every present level with every cache type.
    static let all = presentLevels.flatMap { isa in CacheDType.allCases.map { CacheCase(isa: isa, dtype: $0) } }
}
