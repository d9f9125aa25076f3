import Tensors
import Testing
import Values

extension SplitMix64 {
    /// Uniform numbers in -scale ..< scale.
    mutating func floats(_ count: Int, scale: Float = 1) -> [Float] {
        (0..<count).map { _ in Float.random(in: -scale..<scale, using: &self) }
    }
}

/// The levels this machine has, lowest first.
let presentLevels = KernelISA.allCases.filter { $0 <= KernelISA.detect() }

/// The reference level on one thread.
func scalarCompute() -> Compute { Compute(isa: .scalar, threads: 1) }

/// A level and a dtype: what most kernel tests run over.
struct KernelCase: Sendable, CustomTestStringConvertible {
    var isa: KernelISA
    var dtype: DType
    var testDescription: String { "\(isa.name) \(dtype)" }

    /// Every present level with every dtype.
    static let all = presentLevels.flatMap { isa in DType.allCases.map { KernelCase(isa: isa, dtype: $0) } }
    /// Every present level above scalar with every dtype.
    static let vector = all.filter { $0.isa > .scalar }
}

/// Elements of one dtype in memory.
final class TypedArray {
    /// Type of the elements.
    let dtype: DType
    /// Number of the elements.
    let count: Int
    /// The elements.
    let buffer: AlignedBuffer

    /// Zeros.
    init(zeros count: Int, _ dtype: DType) {
        self.dtype = dtype
        self.count = count
        guard let buffer = AlignedBuffer(byteCount: max(64, count * dtype.size)) else { fatalError("no memory") }
        self.buffer = buffer
    }

    /// Rounded values.
    convenience init(_ values: [Float], _ dtype: DType) {
        self.init(zeros: values.count, dtype)
        scalarCompute().convert(values, count: values.count, to: dtype, into: buffer.pointer)
    }

    /// First byte.
    var pointer: UnsafeMutableRawPointer { buffer.pointer }

    /// Exact values.
    var floats: [Float] {
        var out = [Float](repeating: 0, count: count)
        scalarCompute().convert(UnsafeRawPointer(pointer), from: dtype, count: count, into: &out)
        return out
    }

    /// The elements' bytes, to compare bit for bit.
    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: pointer, count: count * dtype.size)) }
}

/// A packed matrix with the memory it borrows.
struct OwnedMatrix {
    /// The packed form.
    let matrix: PackedMatrix
    /// Row-major values after rounding.
    let rounded: [Float]
    private let memory: AlignedBuffer

    /// Packs row-major values.
    init(_ values: [Float], outputs: Int, inputs: Int, dtype: DType, kind: PackedMatrix.Kind = .plain) {
        let bytes = PackedMatrix.byteCount(outputs: outputs, inputs: inputs, dtype: dtype, kind: kind)
        guard let memory = AlignedBuffer(byteCount: max(64, bytes)) else { fatalError("no memory") }
        self.memory = memory
        // Garbage first: packing must write every byte that is read later.
        memory.pointer.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes)
        PackedMatrix.pack(
            rows: values, first: 0, count: outputs, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind,
            into: memory.pointer)
        matrix = PackedMatrix(data: memory.pointer, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind)
        rounded = TypedArray(values, dtype).floats
    }
}

/// Bit patterns, to compare floats exactly, NaN and signed zero included.
func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }

/// The largest difference of two equally long arrays.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count, "arrays of one length")
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}
