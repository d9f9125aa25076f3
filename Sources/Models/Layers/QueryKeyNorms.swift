import Tensors

/// Root-mean-square norms of queries and keys, before they are rotated.
struct QueryKeyNorms {
    /// What is normalised together.
    enum Kind: Equatable {
        /// Nothing.
        case none
        /// Each head, by weights to which `addend` is added.
        case heads(addend: Float = 0)
        /// All heads of a row, those of other ranks too.
        case rows
    }

    private let kind: Kind
    private let query: VectorID?
    private let key: VectorID?
    private let epsilon: Float
    private let heads: AttentionHeads
    /// Whether this rank's keys count in the sum over ranks: of those that share a head the first one's do.
    private let countsKeys: Bool

    /// Takes `q_norm` and, if there are keys, `k_norm`, this rank's part of them where all heads are one row.
    init(
        _ kind: Kind, _ scope: ModelScope, _ parts: (query: ShardRange, keyValue: ShardRange), _ heads: AttentionHeads,
        hasKeys: Bool = true
    ) throws(CheckpointError) {
        self.kind = kind
        self.heads = heads
        epsilon = scope.config.normEpsilon
        let plan = scope.plan
        let rank = plan.shard.rank
        let before =
            rank.index == 0
            ? nil
            : try ShardPlan(
                scope.config, rank: ShardRank(index: rank.index - 1, count: rank.count), modelPath: plan.modelPath
            ).heads(heads, modelPath: plan.modelPath)
        countsKeys = before?.keyValue != parts.keyValue
        func weight(
            _ name: String, _ part: ShardRange, addend: Float = 0
        ) throws(CheckpointError) -> VectorID {
            let name = scope.at(name).prefix + ".weight"
            return try plan.vector(name, [TensorSlice(name, shape: [part.total], rows: part.range)], addend: addend)
        }
        switch kind {
        case .none: (query, key) = (nil, nil)
        case .heads(let addend):
            let head = ShardRange(range: 0..<heads.dimension, total: heads.dimension)
            query = try weight("q_norm", head, addend: addend)
            key = hasKeys ? try weight("k_norm", head, addend: addend) : nil
        case .rows:
            query = try weight("q_norm", parts.query.scaled(by: heads.dimension))
            key = try weight("k_norm", parts.keyValue.scaled(by: heads.dimension))
            plan.reserve(.squares, floats: 2)
        }
    }

    /// The norms of single heads, which are part of rotation.
    func ofHeads(_ step: borrowing Step) -> HeadNorm? {
        guard case .heads = kind else { return nil }
        return HeadNorm(queryWeight: step.weights[query], keyWeight: step.weights[key], epsilon: epsilon)
    }

    /// Normalises each head of values, without weights: `qkv` is `[rows][own.fusedSize]`.
    func normalizeValues(_ qkv: UnsafeMutablePointer<Float>, _ own: AttentionHeads, _ step: borrowing Step) {
        for head in own.query + own.keyValue..<own.query + 2 * own.keyValue {
            let values = qkv + head * own.dimension
            step.compute.sumSquares(
                values, rows: step.rows, size: own.dimension, stride: own.fusedSize, into: step.squares)
            step.compute.scaleToNorm(
                values, rows: step.rows, size: own.dimension, stride: own.fusedSize, squares: step.squares,
                total: own.dimension, epsilon: epsilon, weight: nil)
        }
    }

    /// Normalises whole rows of queries and of keys where they are normalised so: `qkv` is `[rows][own.fusedSize]`.
    ///
    /// Sums of squares go over all ranks, in rank order, so all of them divide by the same number.
    func normalizeRows(_ qkv: UnsafeMutablePointer<Float>, _ own: AttentionHeads, _ step: borrowing Step) {
        guard kind == .rows, let query = step.weights[query], let key = step.weights[key] else { return }
        let (rows, compute) = (step.rows, step.compute)
        let (queries, keys) = (own.query * own.dimension, own.keyValue * own.dimension)
        let squares = step.squares
        func sum(into out: UnsafeMutablePointer<Float>, _ first: Int, _ count: Int) {
            compute.sumSquares(
                qkv + first * own.fusedSize, rows: count, size: queries, stride: own.fusedSize, into: out)
            compute.sumSquares(
                qkv + first * own.fusedSize + queries, rows: count, size: keys, stride: own.fusedSize,
                into: out + count)
        }
        let block = step.group.map { min(rows, $0.slotCount / 2) } ?? rows
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            if let group = step.group {
                sum(into: group.ownSlot, first, count)
                if !countsKeys { (group.ownSlot + count).update(repeating: 0, count: count) }
                squares.update(repeating: 0, count: 2 * count)
                compute.addSlots(of: group, count: 2 * count, to: squares)
            } else {
                sum(into: squares, first, count)
            }
            let x = qkv + first * own.fusedSize
            compute.scaleToNorm(
                x, rows: count, size: queries, stride: own.fusedSize, squares: squares,
                total: heads.query * heads.dimension, epsilon: epsilon, weight: query)
            compute.scaleToNorm(
                x + queries, rows: count, size: keys, stride: own.fusedSize, squares: squares + count,
                total: heads.keyValue * heads.dimension, epsilon: epsilon, weight: key)
        }
    }
}
