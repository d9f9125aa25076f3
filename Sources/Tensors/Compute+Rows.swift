import CKernels

extension Compute {
    /// Gathers rows of a packed embedding table: `out[t] = table[tokens[t]] * scale`, float32 `[count][inputs]`.
    ///
    /// Tokens must lie in `0 ..< table.outputs`.
    package func embed(
        _ tokens: UnsafePointer<Int32>, count: Int, table: PackedMatrix, scale: Float = 1,
        into out: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: table.kernel) { kernels_embed(handle, tokens, count, $0, scale, out) }
    }

    /// Root-mean-square norm: `out[t] = x[t] / sqrt(mean(x[t]²) + epsilon) * weight`, rounded to `dtype`.
    ///
    /// `x` is float32 `[rows][size]`, `weight` `[size]`, `out` `[rows][size]` of `dtype`.
    package func rmsNorm(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, weight: UnsafePointer<Float>, epsilon: Float, dtype: DType,
        into out: UnsafeMutableRawPointer
    ) {
        kernels_rms_norm(handle, x, rows, size, weight, epsilon, dtype.kernel, out)
    }

    /// Copies rows by index: `out[i] = source[indices[i]]`, rows of `size` elements of `dtype`.
    package func gatherRows(
        _ source: UnsafeRawPointer, indices: UnsafePointer<Int32>, count: Int, size: Int, dtype: DType = .float32,
        into out: UnsafeMutableRawPointer
    ) {
        kernels_gather_rows(handle, source, indices, count, size * dtype.size, out)
    }

    /// Converts float32 to `dtype`, rounding to nearest even; NaN stays NaN.
    package func convert(
        _ x: UnsafePointer<Float>, count: Int, to dtype: DType, into out: UnsafeMutableRawPointer
    ) {
        kernels_from_float(handle, x, count, dtype.kernel, out)
    }

    /// Converts `dtype` to float32, exactly.
    package func convert(
        _ x: UnsafeRawPointer, from dtype: DType, count: Int, into out: UnsafeMutablePointer<Float>
    ) {
        kernels_to_float(handle, x, count, dtype.kernel, out)
    }
}
