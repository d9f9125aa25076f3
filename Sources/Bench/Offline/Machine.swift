import Tensors
import Values

/// What this machine can do at most, measured whenever it is asked.
struct Machine {
    let compute: Compute
    let dtype: DType
    /// Products are of bytes.
    let isQuantized: Bool
    private let memory: AlignedBuffer

    /// Reserves the memory that is read.
    init(_ compute: Compute, dtype: DType, isQuantized: Bool = false) throws {
        // Many times the largest cache.
        let byteCount = 512 << 20
        guard let memory = AlignedBuffer(byteCount: byteCount) else {
            throw BenchFailure("no memory to measure the bandwidth with")
        }
        // Untouched pages all map to one zero page, which would be read from the cache.
        memory.pointer.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
        self.memory = memory
        self.compute = compute
        self.dtype = dtype
        self.isQuantized = isQuantized
    }

    /// Bytes per second of a read with all threads, in units of 10⁹; the better of two passes.
    func bandwidth() -> Double {
        max(
            compute.readRate(memory.pointer, byteCount: memory.byteCount),
            compute.readRate(memory.pointer, byteCount: memory.byteCount))
    }

    /// Operations per second of the dot instruction that products use, in units of 10⁹; the best of three runs.
    func dotPeak() -> Double {
        best { isQuantized ? compute.int8DotRate(rounds: $0) : compute.dotRate(dtype, rounds: $0) }
    }

    /// The same of the dot instruction of products without quantization.
    func dotPeak(of dtype: DType) -> Double { best { compute.dotRate(dtype, rounds: $0) } }

    /// The same of products of bytes.
    func int8DotPeak() -> Double { best { compute.int8DotRate(rounds: $0) } }

    private func best(_ rate: (_ rounds: Int) -> Double) -> Double {
        let rounds = compute.isa == .scalar ? 1 << 16 : 1 << 20
        return (0..<3).map { _ in rate(rounds) }.max() ?? 0
    }
}
