import Tensors

/// One thing that happens to a pooled row.
enum HeadStage {
    /// What the product of the head of sparse vectors is called.
    static let sparseName = "sparse_linear"

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
        /// The first stage of all: of each two of the `labels` scores that `score.weight` gives the first counts, by a weight that the
        /// chain of products `weights` gives with SELU between them.
        case weighed(score: String, weights: [String], inputs: Int, labels: Int)
    }

    /// A product and the function behind it.
    struct Product {
        let matrix: MatrixID
        let bias: VectorID?
        let activation: Activation
    }

    /// A product.
    case linear(Product)
    /// A layer norm.
    case norm(LayerNorm)
    /// A unit vector.
    case normalize
    /// Scores and what weighs them.
    case weighed(score: Product, weights: [Product])

    /// Takes the stage's tensors, which are never quantized: they are few, and what they give is the answer.
    init(_ plan: Plan, _ root: ModelScope) throws(CheckpointError) {
        switch plan {
        case .normalize: self = .normalize
        case .norm(let name, let size, let epsilon, let bias):
            self = .norm(try LayerNorm(root.at(name), size: size, epsilon: epsilon, bias: bias))
        case .linear(let name, let inputs, let outputs, let bias, let activation):
            self = .linear(try Product(name, (inputs, outputs), bias, activation, root))
        case .weighed(let score, let weights, let inputs, let labels):
            var products: [Product] = []
            for (index, name) in weights.enumerated() {
                let isLast = index == weights.count - 1
                products.append(
                    try Product(
                        name, (inputs, isLast ? labels / 2 : inputs), .present, isLast ? .identity : .selu, root))
            }
            self = .weighed(
                score: try Product(score, (inputs, labels), .absent, .identity, root), weights: products)
        }
    }
}

extension HeadStage.Product {
    /// Takes the tensors `NAME.weight` and `NAME.bias`.
    init(
        _ name: String, _ size: (inputs: Int, outputs: Int), _ bias: HeadStage.Bias, _ activation: Activation,
        _ root: ModelScope
    ) throws(CheckpointError) {
        let weight = TensorSlice(name + ".weight", shape: [size.outputs, size.inputs])
        matrix = try root.plan.matrix(weight.name, [weight], role: .lookup)
        let hasBias = bias == .present || bias == .optional && root.plan.has(name + ".bias")
        self.bias =
            hasBias ? try root.plan.vector(name + ".bias", [TensorSlice(name + ".bias", shape: [size.outputs])]) : nil
        self.activation = activation
        root.plan.reserve(.normed, numbers: size.inputs)
        for area in [ScratchArea.fused, .query] { root.plan.reserve(area, floats: max(size.inputs, size.outputs)) }
    }

    /// Computes it for some rows, which are not where it writes; how many numbers a row has then.
    func callAsFunction(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, _ model: borrowing ModelParts,
        into out: UnsafeMutablePointer<Float>
    ) -> Int {
        let weights = model.weights[matrix]
        let input = model.scratch[.normed]
        model.compute.convert(x, count: rows * size, to: model.dtype, into: input)
        model.compute.matmul(input, rows: rows, weights: weights, bias: model.weights[bias], into: out)
        if activation != .identity { for i in 0..<rows * weights.outputs { out[i] = activation(out[i]) } }
        return weights.outputs
    }
}
