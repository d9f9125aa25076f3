import Tensors

/// A norm of single rows.
protocol RowNorm {
    /// Normalises rows from float32 to `dtype`; in place where that is float32 too.
    func normalize(
        _ x: UnsafePointer<Float>, rows: Int, dtype: DType, into out: UnsafeMutableRawPointer,
        _ parts: borrowing ModelParts)

    /// Normalises the step's rows from float32 to the model dtype.
    func callAsFunction(_ x: UnsafePointer<Float>, into out: UnsafeMutableRawPointer, _ step: borrowing Step)
}

/// Layer norm with a learned weight and bias for each element (Ba et al. 2016, arXiv:1607.06450).
struct LayerNorm: RowNorm {
    let weight: VectorID
    let bias: VectorID?
    let size: Int
    let epsilon: Float

    /// Takes `NAME.weight` and, if so, `NAME.bias`.
    init(_ scope: ModelScope, size: Int, epsilon: Float, bias hasBias: Bool = true) throws(CheckpointError) {
        self.size = size
        self.epsilon = epsilon
        let plan = scope.plan
        weight = try plan.vector(scope.prefix + ".weight", [TensorSlice(scope.prefix + ".weight", shape: [size])])
        bias =
            hasBias
            ? try plan.vector(scope.prefix + ".bias", [TensorSlice(scope.prefix + ".bias", shape: [size])]) : nil
        plan.reserve(.normed, numbers: size)
    }

    func normalize(
        _ x: UnsafePointer<Float>, rows: Int, dtype: DType, into out: UnsafeMutableRawPointer,
        _ parts: borrowing ModelParts
    ) {
        parts.compute.layerNorm(
            x, rows: rows, size: size, weight: parts.weights[weight], bias: parts.weights[bias], epsilon: epsilon,
            dtype: dtype, into: out)
    }

    func callAsFunction(_ x: UnsafePointer<Float>, into out: UnsafeMutableRawPointer, _ step: borrowing Step) {
        step.compute.layerNorm(
            x, rows: step.rows, size: size, weight: step.weights[weight], bias: step.weights[bias], epsilon: epsilon,
            dtype: step.dtype, into: out)
    }

    /// Normalises the step's rows in place, and leaves a copy in the model dtype for the next product.
    func callAsFunction(
        inPlace x: UnsafeMutablePointer<Float>, into out: UnsafeMutableRawPointer, _ step: borrowing Step
    ) {
        step.compute.layerNorm(
            x, rows: step.rows, size: size, weight: step.weights[weight], bias: step.weights[bias], epsilon: epsilon,
            dtype: step.dtype, into: out, keepingIn: x)
    }
}
