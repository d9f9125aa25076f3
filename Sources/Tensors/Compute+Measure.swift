import CKernels
internal import Values

extension Compute {
    /// Bytes per second that all threads together read from memory, in units of 10⁹; the best of `passes`.
    ///
    /// `byteCount` should exceed the caches many times. Returns nil when that much memory is not to be had.
    package func measureReadBandwidth(byteCount: Int = 1 << 30, passes: Int = 5) -> Double? {
        guard let buffer = AlignedBuffer(byteCount: byteCount) else { return nil }
        // Untouched pages all map to one zero page, which would be read from the cache.
        buffer.pointer.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
        return (0..<max(1, passes)).map { _ in readRate(buffer.pointer, byteCount: byteCount) }.max()
    }

    /// Operations per second of all threads together with operands in registers, in units of 10⁹.
    ///
    /// A multiply and an add are two operations. Uses the dot instruction that products of `dtype` use on this level:
    /// for bfloat16 the pair dot where it exists, and float32 multiply-add everywhere else.
    package func measureDotPeak(_ dtype: DType, passes: Int = 5) -> Double {
        (0..<max(1, passes)).map { _ in dotRate(dtype, rounds: isa == .scalar ? 1 << 18 : 1 << 22) }.max() ?? 0
    }

    /// Bytes per second, in units of 10⁹, of one pass of all threads over `byteCount` bytes of memory that was written
    /// before.
    package func readRate(_ memory: UnsafeRawPointer, byteCount: Int) -> Double {
        Double(byteCount) / kernels_time_read(handle, memory, byteCount) / 1e9
    }

    /// Operations per second, in units of 10⁹, of one run of the dot instruction on all threads; a round is a few dozen
    /// instructions.
    package func dotRate(_ dtype: DType, rounds: Int) -> Double {
        kernels_dot_peak(handle, dtype.kernel, rounds) / 1e9
    }

    /// The same for the products of bytes that quantized weights use.
    package func int8DotRate(rounds: Int) -> Double {
        kernels_int8_dot_peak(handle, rounds) / 1e9
    }
}
