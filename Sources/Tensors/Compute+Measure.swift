import CKernels

extension Compute {
    /// Bytes per second that all threads together read from memory, in units of 10⁹; the best of `passes`.
    ///
    /// `byteCount` should exceed the caches many times. Returns nil when that much memory is not to be had.
    package func measureReadBandwidth(byteCount: Int = 1 << 30, passes: Int = 5) -> Double? {
        guard let buffer = AlignedBuffer(byteCount: byteCount) else { return nil }
        // Untouched pages all map to one zero page, which would be read from the cache.
        buffer.pointer.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
        let seconds = (0..<max(1, passes)).map { _ in kernels_time_read(handle, buffer.pointer, byteCount) }
        return Double(byteCount) / (seconds.min() ?? .infinity) / 1e9
    }

    /// Operations per second of all threads together with operands in registers, in units of 10⁹.
    ///
    /// A multiply and an add are two operations. Uses the dot instruction that products of `dtype` use on this level:
    /// for bfloat16 the pair dot where it exists, and float32 multiply-add everywhere else.
    package func measureDotPeak(_ dtype: DType, passes: Int = 5) -> Double {
        let iterations = isa == .scalar ? 1 << 18 : 1 << 22
        let rates = (0..<max(1, passes)).map { _ in kernels_dot_peak(handle, dtype.kernel, iterations) }
        return (rates.max() ?? 0) / 1e9
    }
}
