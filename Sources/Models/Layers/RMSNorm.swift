import Tensors

/// Root-mean-square norm with a learned weight per element (Zhang and Sennrich 2019, arXiv:1910.07467).
struct RMSNorm: RowNorm {
    let weight: VectorID
    let size: Int
    let epsilon: Float

    /// Takes `NAME.weight`, as long as the hidden size, to which `addend` is added.
    init(_ scope: ModelScope, addend: Float = 0) throws(CheckpointError) {
        size = scope.config.hiddenSize
        epsilon = scope.config.normEpsilon
        let name = scope.prefix + ".weight"
        weight = try scope.plan.vector(name, [TensorSlice(name, shape: [size])], addend: addend)
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
