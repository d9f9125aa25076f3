import Tensors

/// Root-mean-square norm with a learned weight per element (Zhang and Sennrich 2019, arXiv:1910.07467).
struct RMSNorm: RowNorm {
    let weight: VectorID
    let size: Int
    let epsilon: Float

    /// Takes `NAME.weight`, as long as the hidden size.
    init(_ scope: ModelScope) throws(CheckpointError) {
        size = scope.config.hiddenSize
        epsilon = scope.config.normEpsilon
        weight = try scope.plan.vector(scope.prefix + ".weight", [TensorSlice(scope.prefix + ".weight", shape: [size])])
        scope.plan.reserve(.normed, numbers: size)
    }

    /// Normalises the step's rows from float32 to the model dtype.
    func callAsFunction(_ x: UnsafePointer<Float>, into out: UnsafeMutableRawPointer, _ step: borrowing Step) {
        step.compute.rmsNorm(
            x, rows: step.rows, size: size, weight: step.weights[weight], epsilon: epsilon, dtype: step.dtype, into: out
        )
    }

    func normalize(
        _ x: UnsafePointer<Float>, rows: Int, dtype: DType, into out: UnsafeMutableRawPointer,
        _ parts: borrowing ModelParts
    ) {
        parts.compute.rmsNorm(
            x, rows: rows, size: size, weight: parts.weights[weight], epsilon: epsilon, dtype: dtype, into: out)
    }
}
