import CKernels

extension Compute {
    /// Index of each row's largest element, the lowest on ties; -1 for a row that holds a NaN.
    package func argmax(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, into out: UnsafeMutablePointer<Int32>
    ) {
        kernels_argmax(handle, x, rows, size, out)
    }

    /// `log(sum(exp(scale * x[t])))` of each row, for a positive scale (an inverse temperature).
    ///
    /// NaN for a row with a NaN.
    package func logSumExp(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, scale: Float = 1, into out: UnsafeMutablePointer<Float>
    ) {
        kernels_log_sum_exp(handle, x, rows, size, scale, out)
    }

    /// Multiplies each row by its own scale, such as an inverse temperature; `out` may be `x`.
    package func scaleRows(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, scales: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>
    ) {
        kernels_scale_rows(handle, x, rows, size, scales, out)
    }

    /// Softmax of each row; `out` may be `x`.
    package func softmax(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, into out: UnsafeMutablePointer<Float>
    ) {
        kernels_softmax(handle, x, rows, size, out)
    }

    /// Tells for each row whether it holds a NaN.
    package func rowsWithNaN(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, into out: UnsafeMutablePointer<Bool>
    ) {
        kernels_rows_with_nan(handle, x, rows, size, out)
    }

    /// The `count` largest elements of one row, largest first, lower index first on ties; NaN is never chosen.
    ///
    /// Returns how many were written to `values` and `indices`, at most `min(count, size)`.
    package func topK(
        _ x: UnsafePointer<Float>, size: Int, count: Int, values: UnsafeMutablePointer<Float>,
        indices: UnsafeMutablePointer<Int32>
    ) -> Int {
        kernels_top_k(handle, x, size, count, values, indices)
    }
}
