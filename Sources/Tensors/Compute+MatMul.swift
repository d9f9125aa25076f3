import CKernels

extension Compute {
    /// Multiplies activations by weights: `out[t] = x[t] · Wᵀ + bias`, or adds that to `out[t]`.
    ///
    /// `x` is `[rows][inputs]` in the weights' dtype, `out` `[rows][outputs]` float32, `bias` `[outputs]`. Sums are
    /// float32 over ascending inputs from zero; with `accumulate` the finished sum is added to `out`. Quantized weights
    /// are multiplied with activations rounded to int8, as integers over all inputs (int8) or over each group (others).
    /// Rows of `out` are `stride` numbers apart, or as many as there are outputs.
    package func matmul(
        _ x: UnsafeRawPointer, rows: Int, weights: PackedMatrix, bias: UnsafePointer<Float>? = nil,
        accumulate: Bool = false, into out: UnsafeMutablePointer<Float>, stride: Int? = nil
    ) {
        precondition(weights.kind == .plain, "gate-up weights are for gateUp")
        let stride = stride ?? weights.outputs
        precondition(stride >= weights.outputs, "rows of the result do not overlap")
        withUnsafePointer(to: weights.kernel) { kernels_matmul(handle, x, rows, $0, bias, accumulate, out, stride) }
    }

    /// Computes `silu(x · gateᵀ) * (x · upᵀ)` in one pass over a `.gateUp` matrix.
    ///
    /// `x` is `[rows][inputs]` and `out` `[rows][outputs / 2]`, both in the weights' dtype; rounded once, at the end.
    package func gateUp(_ x: UnsafeRawPointer, rows: Int, weights: PackedMatrix, into out: UnsafeMutableRawPointer) {
        precondition(weights.kind == .gateUp, "plain weights are for matmul")
        withUnsafePointer(to: weights.kernel) { kernels_gate_up(handle, x, rows, $0, out) }
    }
}
