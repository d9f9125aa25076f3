import Tensors

/// Root-mean-square norm with a learned weight per element (Zhang and Sennrich 2019, arXiv:1910.07467).
struct RMSNorm: RowNorm {
    let weight: VectorID
    let size: Int
    let epsilon: Float

    /// Takes `NAME.weight`, as long as the hidden size, to which `addend` is added; the configuration's epsilon counts where none
    /// is given; `tensor` is the whole name where that is another.
    init(
        _ scope: ModelScope, addend: Float = 0, epsilon: Float? = nil, tensor: String? = nil
    ) throws(CheckpointError) {
        size = scope.config.hiddenSize
        self.epsilon = epsilon ?? scope.config.normEpsilon
        let name = tensor ?? scope.prefix + ".weight"
        weight = try scope.plan.vector(name, [TensorSlice(name, shape: [size])], addend: addend)
        scope.plan.reserve(.normed, numbers: size)
    }

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
