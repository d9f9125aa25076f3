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

    /// Computes `f(x · Wᵀ + bias)` in one pass, rounded to the weights' dtype once, at the end.
    ///
    /// `x` is `[rows][inputs]` and `out` `[rows][outputs]`, both in the weights' dtype.
    package func activatedMatmul(
        _ x: UnsafeRawPointer, rows: Int, weights: PackedMatrix, bias: UnsafePointer<Float>?, _ function: MLPFunction,
        into out: UnsafeMutableRawPointer
    ) {
        precondition(weights.kind == .plain, "gate-up weights are for gateUp")
        withUnsafePointer(to: weights.kernel) {
            kernels_activated_matmul(handle, x, rows, $0, bias, function.kernel, out)
        }
    }

    /// Computes `f(x · gateᵀ) * (x · upᵀ)` in one pass over a `.gateUp` matrix.
    ///
    /// `x` is `[rows][inputs]` and `out` `[rows][outputs / 2]`, both in the weights' dtype; rounded once, at the end.
    package func gateUp(
        _ x: UnsafeRawPointer, rows: Int, weights: PackedMatrix, _ function: MLPFunction = .silu,
        into out: UnsafeMutableRawPointer
    ) {
        precondition(weights.kind == .gateUp, "plain weights are for matmul")
        withUnsafePointer(to: weights.kernel) { kernels_gate_up(handle, x, rows, $0, function.kernel, out) }
    }
}

/// The function between the products of an MLP.
package enum MLPFunction: UInt8, Sendable, CaseIterable {
    /// x · sigmoid(x).
    case silu = 0
    /// x · Φ(x).
    case gelu = 1
    /// Its approximation by a hyperbolic tangent.
    case geluTanh = 2
    /// max(x, 0).
    case relu = 3

    /// The same function as the C kernels name it.
    var kernel: kernels_activation { kernels_activation(rawValue: UInt32(rawValue)) }
}
