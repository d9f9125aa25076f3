import Tensors

/// What becomes of logits: they are multiplied, and then capped.
struct LogitTerms: Equatable {
    /// The factor.
    var scale: Float = 1
    /// They become `cap * tanh(logit / cap)`; nil leaves them.
    var cap: Float?
}

/// The projection from hidden states to one logit per token, split over the ranks by rows of the vocabulary.
struct LanguageModelHead: Head {
    let width: Int
    var pooling: Pooling? { nil }
    private let weight: MatrixID
    /// Which columns of the logits each rank computes.
    private let parts: [Range<Int>]
    private let terms: LogitTerms

    /// Shares the embedding's table when the checkpoint ties them, else takes `NAME.weight`.
    init(
        _ scope: ModelScope, tiedTo embedding: VocabEmbedding, _ terms: LogitTerms = LogitTerms()
    ) throws(CheckpointError) {
        let plan = scope.plan
        self.terms = terms
        width = scope.config.vocabularySize
        if scope.config.tiesWordEmbeddings {
            weight = embedding.table
            plan.alias(scope.prefix + ".weight", of: embedding.name)
        } else {
            weight = try plan.matrix(scope.prefix + ".weight", [vocabularySlice(scope)], role: .head)
        }
        var parts: [Range<Int>] = []
        for rank in 0..<plan.shard.rank.count {
            let rank = ShardRank(index: rank, count: plan.shard.rank.count)
            parts.append(try ShardPlan(scope.config, rank: rank, modelPath: plan.modelPath).vocabulary.range)
        }
        self.parts = parts
    }

    func callAsFunction(
        _ hidden: UnsafeRawPointer, rows: Int, _ model: borrowing ModelParts, into out: UnsafeMutablePointer<Float>?
    ) {
        multiply(hidden, rows: rows, model, into: out)
        if let out { model.compute.cap(out, count: rows * width, scale: terms.scale, cap: terms.cap) }
    }

    private func multiply(
        _ hidden: UnsafeRawPointer, rows: Int, _ model: borrowing ModelParts, into out: UnsafeMutablePointer<Float>?
    ) {
        let matrix = model.weights[weight]
        guard let group = model.group else {
            if let out { model.compute.matmul(hidden, rows: rows, weights: matrix, into: out) }
            return
        }
        // No part is wider than rank 0's.
        let block = group.slotCount / parts[0].count
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            let row = hidden + first * model.hiddenSize * model.dtype.size
            model.compute.matmul(row, rows: count, weights: matrix, into: group.ownSlot)
            let target = out.map { $0 + first * width }
            group.exchange { slot in if let target { joinParts(slot, rows: count, into: target) } }
        }
    }

    /// Puts the ranks' parts of each row of logits side by side.
    private func joinParts(
        _ slot: (Int) -> UnsafePointer<Float>, rows: Int, into logits: UnsafeMutablePointer<Float>
    ) {
        for (rank, part) in parts.enumerated() {
            for row in 0..<rows {
                (logits + row * width + part.lowerBound)
                    .update(from: slot(rank) + row * part.count, count: part.count)
            }
        }
    }
}
