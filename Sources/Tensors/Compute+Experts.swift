import CKernels

/// The gated MLPs of a layer of experts, all of one shape.
package struct PackedExperts {
    /// Gate and up of the first expert; those of the others follow, as long as it is.
    package let gateUp: PackedMatrix
    /// Down of the first expert, likewise.
    package let down: PackedMatrix
    /// Number of experts.
    package let count: Int
    /// Biases of the first expert, as float32 matrices with one input; nil for none.
    package var biases: (gateUp: PackedMatrix?, down: PackedMatrix?) = (nil, nil)
    /// Whether gates are clamped as in gpt-oss.
    package var clampsGates = false
    /// The function on gates that are not.
    package var function = MLPFunction.silu

    /// Describes packed memory.
    package init(gateUp: PackedMatrix, down: PackedMatrix, count: Int) {
        precondition(gateUp.kind == .gateUp && down.kind == .plain, "gate and up are one matrix")
        precondition(gateUp.outputs == 2 * down.inputs && gateUp.inputs == down.outputs, "an expert leads back")
        precondition(gateUp.inputs <= Self.mostInputs && down.inputs <= Self.mostInputs, "experts are not wider")
        self.gateUp = gateUp
        self.down = down
        self.count = count
    }

    /// Widest input of an expert's products.
    package static let mostInputs = 1 << 16
}

extension Compute {
    /// The `each` largest of every row's scores (0 ... 1), largest first, the lower index first on ties, and the scores
    /// as weights; with `normalizes` these are divided by their sum, and then multiplied by `factor`.
    ///
    /// With `bias`, a number for each expert, the largest sums of score and bias are chosen; weights stay scores. A row of NaN
    /// gets the first experts, weighted NaN. `scores` is changed.
    package func chooseExperts(
        _ scores: UnsafeMutablePointer<Float>, rows: Int, experts: Int, each: Int, bias: UnsafePointer<Float>? = nil,
        normalizes: Bool, factor: Float = 1, into chosen: UnsafeMutablePointer<Int32>,
        weights: UnsafeMutablePointer<Float>
    ) {
        precondition(each >= 1 && each <= experts, "there are as many experts as a row takes")
        kernels_choose_experts(handle, scores, rows, experts, each, bias, normalizes, factor, chosen, weights)
    }

    /// Sigmoid of each number, in place.
    package func sigmoid(_ x: UnsafeMutablePointer<Float>, count: Int) { kernels_sigmoid(handle, x, count) }

    /// Adds to every row of `out` what its `each` experts make of its row of `x`, times their weights, in ascending
    /// order of the experts.
    ///
    /// `chosen` and `weights` are `[rows][each]`, the experts of a row all different; `gated` is working memory,
    /// `[rows * each][experts.down.inputs]` of the experts' dtype.
    package func mixExperts(
        _ x: UnsafeRawPointer, rows: Int, experts: PackedExperts, chosen: UnsafePointer<Int32>,
        weights: UnsafePointer<Float>, each: Int, gated: UnsafeMutableRawPointer,
        addingTo out: UnsafeMutablePointer<Float>
    ) {
        var kernel = kernels_experts(
            gate_up: experts.gateUp.kernel, down: experts.down.kernel, count: experts.count,
            gate_up_bias: experts.biases.gateUp?.kernel ?? kernels_matrix(),
            down_bias: experts.biases.down?.kernel ?? kernels_matrix(),
            activation: experts.clampsGates ? KERNELS_CLAMPED_SWIGLU : experts.function.kernel)
        kernels_mix_experts(handle, x, rows, &kernel, chosen, weights, each, gated, out)
    }
}
