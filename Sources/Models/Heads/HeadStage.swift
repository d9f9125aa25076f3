import Tensors

/// One thing that happens to a pooled row.
enum HeadStage {
    /// Whether a product has a bias.
    enum Bias: Sendable, Equatable {
        case present, absent
        /// As the checkpoint has one or not.
        case optional
    }

    /// A stage before its tensors are found.
    enum Plan: Sendable, Equatable {
        /// The tensors `NAME.weight` and `NAME.bias`, then a function.
        case linear(String, inputs: Int, outputs: Int, Bias, Activation)
        /// A layer norm with `NAME.weight` and, if so, `NAME.bias`.
        case norm(String, size: Int, epsilon: Float, bias: Bool)
        /// A unit vector.
        case normalize
    }

    /// A product and the function behind it.
    case linear(MatrixID, VectorID?, Activation)
    /// A layer norm.
    case norm(LayerNorm)
    /// A unit vector.
    case normalize

    /// Takes the stage's tensors, which are never quantized: they are few, and what they give is the answer.
    init(_ plan: Plan, _ root: ModelScope) throws(CheckpointError) {
        switch plan {
        case .normalize: self = .normalize
        case .norm(let name, let size, let epsilon, let bias):
            self = .norm(try LayerNorm(root.at(name), size: size, epsilon: epsilon, bias: bias))
        case .linear(let name, let inputs, let outputs, let bias, let activation):
            let weight = TensorSlice(name + ".weight", shape: [outputs, inputs])
            let matrix = try root.plan.matrix(weight.name, [weight], role: .lookup)
            let hasBias = bias == .present || bias == .optional && root.plan.has(name + ".bias")
            let vector =
                hasBias
                ? try root.plan.vector(name + ".bias", [TensorSlice(name + ".bias", shape: [outputs])]) : nil
            self = .linear(matrix, vector, activation)
            root.plan.reserve(.normed, numbers: inputs)
            for area in [ScratchArea.fused, .query] { root.plan.reserve(area, floats: max(inputs, outputs)) }
        }
    }
}
