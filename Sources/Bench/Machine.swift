import Models
import Tensors

/// What this machine can do at most, measured whenever it is asked.
struct Machine {
    let compute: Compute
    let dtype: DType
    let quantization: Quantization
    private let memory: AlignedBuffer

    /// Reserves the memory that is read; nil when there is none.
    init?(_ compute: Compute, dtype: DType, quantization: Quantization) {
        // Many times the largest cache.
        let byteCount = 512 << 20
        guard let memory = AlignedBuffer(byteCount: byteCount) else { return nil }
        // Untouched pages all map to one zero page, which would be read from the cache.
        memory.pointer.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
        self.memory = memory
        self.compute = compute
        self.dtype = dtype
        self.quantization = quantization
    }

    /// Bytes per second of a read with all threads, in units of 10⁹; the better of two passes.
    func bandwidth() -> Double {
        max(
            compute.readRate(memory.pointer, byteCount: memory.byteCount),
            compute.readRate(memory.pointer, byteCount: memory.byteCount))
    }

    /// Operations per second of the dot instructions that products use, in units of 10⁹; the best of three runs.
    func dotPeak() -> Double {
        let rounds = compute.isa == .scalar ? 1 << 16 : 1 << 20
        return (0..<3).map { _ in
            quantization == .none ? compute.dotRate(dtype, rounds: rounds) : compute.int8DotRate(rounds: rounds)
        }.max() ?? 0
    }
}
