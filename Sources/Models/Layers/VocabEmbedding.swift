import Tensors

/// The table of token vectors, kept in packed form so that a tied output head is the same memory.
///
/// A table of its own is never quantized: a step reads a few rows of it, so there is nothing to gain. A tied one is
/// stored as the head is, and rows are dequantized when they are looked up.
struct VocabEmbedding {
    let table: MatrixID
    /// The tensor it was made of.
    let name: String

    /// Takes `NAME.weight`, `[vocabulary][hidden]`.
    init(_ scope: ModelScope) throws(CheckpointError) {
        name = scope.prefix + ".weight"
        table = try scope.plan.matrix(
            name, [vocabularySlice(scope)],
            role: scope.config.tiesWordEmbeddings && scope.plan.answersTokens ? .head : .lookup)
        scope.plan.reserve(.residual, floats: scope.config.hiddenSize)
    }

    /// Takes `NAME.weight`, `[vocabulary][width]`, a table beside that of the residual stream's vectors.
    init(_ scope: ModelScope, width: Int) throws(CheckpointError) {
        name = scope.prefix + ".weight"
        table = try scope.plan.matrix(
            name,
            [
                TensorSlice(
                    name, shape: [scope.config.vocabularySize, width], rows: scope.plan.shard.vocabulary.range)
            ], role: .lookup)
    }

    /// Looks up the step's tokens into the residual stream, float32, times `scale`; vectors that came with it, times
    /// `vectorScale`, take their rows' places.
    func callAsFunction(
        _ tokens: UnsafePointer<Int32>, into out: UnsafeMutablePointer<Float>, scale: Float = 1,
        vectorScale: Float = 1, _ step: borrowing Step
    ) {
        lookUp(tokens, into: out, scale: scale, step)
        step.placeVectors(into: out, scale: vectorScale)
    }

    /// Looks up the step's tokens, float32, times `scale`.
    func lookUp(
        _ tokens: UnsafePointer<Int32>, into out: UnsafeMutablePointer<Float>, scale: Float, _ step: borrowing Step
    ) {
        let matrix = step.weights[table]
        guard let group = step.group else {
            return step.compute.embed(tokens, count: step.rows, table: matrix, scale: scale, into: out)
        }
        let block = group.slotCount / matrix.inputs
        for first in stride(from: 0, to: step.rows, by: block) {
            let rows = min(block, step.rows - first)
            exchange(tokens + first, rows: rows, group, scale: scale, into: out + first * matrix.inputs, step)
        }
    }

    /// Each rank looks up the tokens it has rows of; all then take each row from the slot of the rank that has it.
    private func exchange(
        _ tokens: UnsafePointer<Int32>, rows: Int, _ group: Collectives, scale: Float,
        into out: UnsafeMutablePointer<Float>, _ step: borrowing Step
    ) {
        let matrix = step.weights[table]
        let shard = step.shard
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: rows) { local in
            // Rows of other ranks are looked up too, as any row of this one: nobody reads them.
            for row in 0..<rows {
                let index = Int(tokens[row]) - shard.vocabulary.range.lowerBound
                local.initializeElement(at: row, to: Int32(min(max(index, 0), matrix.outputs - 1)))
            }
            step.compute.embed(local.baseAddress!, count: rows, table: matrix, scale: scale, into: group.ownSlot)
        }
        group.exchange { slot in
            for row in 0..<rows {
                let source = slot(shard.owner(ofToken: tokens[row])) + row * matrix.inputs
                (out + row * matrix.inputs).update(from: source, count: matrix.inputs)
            }
        }
    }
}

/// This rank's part of a `[vocabulary][hidden]` tensor.
func vocabularySlice(_ scope: ModelScope) -> TensorSlice {
    TensorSlice(
        scope.prefix + ".weight", shape: [scope.config.vocabularySize, scope.config.hiddenSize],
        rows: scope.plan.shard.vocabulary.range)
}
