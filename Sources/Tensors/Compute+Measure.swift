import CKernels

extension Compute {
    /// Bytes per second, in units of 10⁹, of one pass of all threads over `byteCount` bytes of memory that was written
    /// before.
    package func readRate(_ memory: UnsafeRawPointer, byteCount: Int) -> Double {
        Double(byteCount) / kernels_time_read(handle, memory, byteCount) / 1e9
    }

    /// Operations per second, in units of 10⁹, of one run of the dot instruction on all threads; a round is a few dozen
    /// instructions.
    ///
    /// It is the instruction that products of `dtype` use on this level: for bfloat16 the pair dot where it exists, and
    /// float32 multiply-add everywhere else. A multiply and an add are two operations.
    package func dotRate(_ dtype: DType, rounds: Int) -> Double {
        kernels_dot_peak(handle, dtype.kernel, rounds) / 1e9
    }

    /// The same for the products of bytes that quantized weights use.
    package func int8DotRate(rounds: Int) -> Double {
        kernels_int8_dot_peak(handle, rounds) / 1e9
    }
}
