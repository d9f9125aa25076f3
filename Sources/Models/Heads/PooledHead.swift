import Tensors

/// Turns pooled rows into vectors, scores or classes: a chain of stages, none for plain vectors.
///
/// Every rank has the pooled rows and the stages' weights; the first one computes alone.
struct PooledHead: Head {
    let width: Int
    let pooling: Pooling?
    private let stages: [HeadStage]

    /// Takes the tensors of the stages.
    init(_ root: ModelScope, _ plan: AnswerPlan) throws(CheckpointError) {
        width = plan.task.width
        pooling = plan.pooling
        var stages: [HeadStage] = []
        for stage in plan.stages { stages.append(try HeadStage(stage, root)) }
        self.stages = stages
        for area in [ScratchArea.fused, .query] { root.plan.reserve(area, floats: max(width, root.config.hiddenSize)) }
    }

    func callAsFunction(
        _ hidden: UnsafeRawPointer, rows: Int, _ model: borrowing ModelParts, into out: UnsafeMutablePointer<Float>?
    ) {
        guard let out else { return }
        // Two areas that no layer needs now take turns.
        var current = hidden.assumingMemoryBound(to: Float.self)
        var size = model.hiddenSize
        var target = model.scratch.floats(.fused)
        var other = model.scratch.floats(.query)
        for stage in stages {
            switch stage {
            case .linear(let matrix, let bias, let activation):
                let weights = model.weights[matrix]
                let input = model.scratch[.normed]
                model.compute.convert(current, count: rows * size, to: model.dtype, into: input)
                model.compute.matmul(input, rows: rows, weights: weights, bias: model.weights[bias], into: target)
                size = weights.outputs
                if activation != .identity {
                    for i in 0..<rows * size { target[i] = activation(target[i]) }
                }
            case .norm(let norm):
                norm.normalize(current, rows: rows, dtype: .float32, into: target, model)
            case .normalize:
                for row in 0..<rows { normalize(current + row * size, size: size, into: target + row * size) }
            }
            current = UnsafePointer(target)
            swap(&target, &other)
        }
        out.update(from: current, count: rows * width)
    }
}

/// Divides a vector by its length; one without length stays as it is.
private func normalize(_ x: UnsafePointer<Float>, size: Int, into out: UnsafeMutablePointer<Float>) {
    var squares = 0.0
    for i in 0..<size { squares += Double(x[i]) * Double(x[i]) }
    let factor = squares > 0 ? 1 / squares.squareRoot() : 1
    for i in 0..<size { out[i] = Float(Double(x[i]) * factor) }
}
