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
        width = plan.pooling == .each ? 1 : plan.task.width
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
            case .linear(let product): size = product(current, rows: rows, size: size, model, into: target)
            case .weighed(let score, let weights):
                var (chain, count) = (current, size)
                for product in weights {
                    count = product(chain, rows: rows, size: count, model, into: target)
                    chain = UnsafePointer(target)
                    swap(&target, &other)
                }
                size = score(current, rows: rows, size: size, model, into: target)
                weigh(target, by: chain, rows: rows, count: count)
                size = 1
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

/// Adds up the first of each two scores of a row by its weights; the sums move together at the front.
private func weigh(_ scores: UnsafeMutablePointer<Float>, by weights: UnsafePointer<Float>, rows: Int, count: Int) {
    for row in 0..<rows {
        var sum: Float = 0
        for i in 0..<count { sum += scores[(row * count + i) * 2] * weights[row * count + i] }
        scores[row] = sum
    }
}
