import Tensors

/// The table of token vectors, kept in packed form so that a tied output head is the same memory.
///
/// A table of its own is never quantized: a step reads a few rows of it, so there is nothing to gain. A tied one is
/// stored as the head is, and rows are dequantized when they are looked up.
struct VocabEmbedding {
    let table: MatrixID

    /// Takes `NAME.weight`, `[vocabulary][hidden]`.
    init(_ scope: WeightScope) throws(CheckpointError) {
        table = try scope.plan.matrix(
            scope.prefix + ".weight", [vocabularySlice(scope)],
            role: scope.config.tiesWordEmbeddings ? .head : .lookup)
    }

    /// Looks up the step's tokens into the residual stream, float32.
    func callAsFunction(
        _ tokens: UnsafePointer<Int32>, into out: UnsafeMutablePointer<Float>, _ step: borrowing Step
    ) {
        step.compute.embed(tokens, count: step.rows, table: step.weights[table], into: out)
    }
}

/// The projection from normalised hidden states to one logit per token; applied outside the layers, to the rows that
/// need it.
struct LanguageModelHead {
    let weight: MatrixID

    /// Shares the embedding's table when the checkpoint ties them, else takes `NAME.weight`.
    init(_ scope: WeightScope, tiedTo embedding: VocabEmbedding) throws(CheckpointError) {
        weight =
            scope.config.tiesWordEmbeddings
            ? embedding.table
            : try scope.plan.matrix(scope.prefix + ".weight", [vocabularySlice(scope)], role: .head)
    }
}

/// This rank's part of a `[vocabulary][hidden]` tensor.
private func vocabularySlice(_ scope: WeightScope) -> TensorSlice {
    TensorSlice(
        scope.prefix + ".weight", shape: [scope.config.vocabularySize, scope.config.hiddenSize],
        rows: scope.plan.shard.vocabulary.range)
}
