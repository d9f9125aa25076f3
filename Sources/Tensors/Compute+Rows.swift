import CKernels

extension Compute {
    /// Gathers rows of a packed embedding table: `out[t] = table[tokens[t]] * scale`, float32 `[count][inputs]`.
    ///
    /// Tokens, after `offset` is added, must lie in `0 ..< table.outputs`; nil stands for zeros. With `accumulate` the rows are
    /// added to `out`.
    package func embed(
        _ tokens: UnsafePointer<Int32>?, count: Int, offset: Int = 0, table: PackedMatrix, scale: Float = 1,
        accumulate: Bool = false, into out: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: table.kernel) {
            kernels_embed(handle, tokens, count, offset, $0, scale, accumulate, out)
        }
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

    /// Layer norm: `out[t] = (x[t] - mean) / sqrt(variance + epsilon) * weight + bias`, rounded to `dtype`; also kept in
    /// float32 in `kept`, which may be `x`.
    package func layerNorm(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        epsilon: Float, dtype: DType, into out: UnsafeMutableRawPointer,
        keepingIn kept: UnsafeMutablePointer<Float>? = nil
    ) {
        kernels_layer_norm(handle, x, rows, size, weight, bias, epsilon, dtype.kernel, out, kept)
    }

    /// Pools the rows of each span to one row: `out` is float32 `[count][size]`. Sums run over ascending rows.
    package func poolRows(
        _ x: UnsafePointer<Float>, size: Int, spans: UnsafePointer<RowSpan>, count: Int, _ pooling: RowPooling,
        into out: UnsafeMutablePointer<Float>
    ) {
        // RowSpan and kernels_row_span are both three Int32 in the same order.
        let plain = UnsafeRawPointer(spans).assumingMemoryBound(to: kernels_row_span.self)
        kernels_pool_rows(handle, x, size, plain, count, kernels_pooling(rawValue: UInt32(pooling.rawValue)), out)
    }

    /// Adds numbers to others.
    package func add(_ x: UnsafePointer<Float>, count: Int, to out: UnsafeMutablePointer<Float>) {
        withUnsafePointer(to: UnsafePointer<Float>?.some(x)) { kernels_add_sum(handle, $0, 1, count, out) }
    }

    /// Multiplies numbers in place, and then lets them become `cap * tanh(x / cap)` where there is a cap.
    package func cap(_ x: UnsafeMutablePointer<Float>, count: Int, scale: Float, cap: Float?) {
        kernels_cap(handle, x, count, scale, cap ?? 0)
    }

    /// Sums of squares of parts of rows, `stride` numbers apart.
    package func sumSquares(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, stride: Int, into out: UnsafeMutablePointer<Float>
    ) {
        kernels_sum_squares(handle, x, rows, size, stride, out)
    }

    /// Root-mean-square norm, in place, of parts of rows whose whole has `squares[t]` as its sum of squares and `total` numbers;
    /// without weights where there are none.
    package func scaleToNorm(
        _ x: UnsafeMutablePointer<Float>, rows: Int, size: Int, stride: Int,
        squares: UnsafePointer<Float>, total: Int, epsilon: Float, weight: UnsafePointer<Float>?
    ) {
        kernels_scale_to_norm(handle, x, rows, size, stride, squares, total, epsilon, weight)
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

/// Neighbouring rows, at least one.
package struct RowSpan: Sendable, Equatable {
    /// The first row.
    package let first: Int32
    /// How many rows.
    package let count: Int32
    /// How many rows of the same text stand before the first, which weights that depend on a row's place count.
    package let skipped: Int32

    /// Describes rows.
    package init(first: Int, count: Int, skipped: Int = 0) {
        precondition(first >= 0 && count > 0 && skipped >= 0, "a span has rows")
        self.first = Int32(first)
        self.count = Int32(count)
        self.skipped = Int32(skipped)
    }
}

/// How rows become one, element by element.
package enum RowPooling: UInt8, Sendable, CaseIterable {
    /// Their mean.
    case mean = 0
    /// The largest of them.
    case max = 1
    /// Their sum over the root of their count.
    case meanSquareRoot = 2
    /// Their mean, of which row i of the text, from 1, counts i times.
    case weightedMean = 3
}
