import Tensors

/// A decoder with everything around it: weights, cache, rotary tables, scratch memory and the output head.
final class CausalLM: LanguageModel {
    let config: ModelConfig
    let limits: ForwardLimits
    private let decoder: any Decoder
    private let compute: Compute
    private let weights: WeightStore
    private let cache: KeyValueStore
    private let rotary: RotaryEmbedding
    private let scratch: ScratchMemory
    private let dtype: DType
    private let shard: ShardPlan
    private let group: Collectives?
    /// Which columns of the logits each rank computes.
    private let vocabularyParts: [Range<Int>]
    /// How many hidden states the last step kept.
    private var hiddenRows = 0

    var weightsSource: WeightsSource { weights.source }

    /// Joins the parts; reserves cache and scratch memory for `limits`.
    init(
        _ decoder: any Decoder, plan: WeightPlan, weights: WeightStore, cacheDType: CacheDType, compute: Compute,
        limits: ForwardLimits, group: Collectives?
    ) throws(CheckpointError) {
        config = plan.config
        self.limits = limits
        self.decoder = decoder
        self.compute = compute
        self.weights = weights
        dtype = plan.dtype
        shard = plan.shard
        self.group = group
        var parts: [Range<Int>] = []
        for rank in 0..<plan.shard.rank.count {
            let rank = ShardRank(index: rank, count: plan.shard.rank.count)
            parts.append(try ShardPlan(plan.config, rank: rank, modelPath: plan.modelPath).vocabulary.range)
        }
        vocabularyParts = parts
        cache = try KeyValueStore(plan.config, shard: plan.shard, dtype: cacheDType, slots: limits.slots)
        rotary = try RotaryEmbedding(plan.config, positions: limits.positions, modelPath: plan.modelPath)
        scratch = try ScratchMemory(plan.config, shard: plan.shard, dtype: plan.dtype, limits: limits)
    }

    func forward(_ input: borrowing ForwardInput) {
        check(input)
        hiddenRows = input.logitRows.count
        if input.tokens.isEmpty { return }
        compute.beginStep()
        withStep(input) { step in
            decoder.forward(&step)
            keepHiddenStates(step)
        }
        compute.endStep()
    }

    func logits(_ range: Range<Int>, into logits: UnsafeMutablePointer<Float>) {
        precondition(shard.rank.index == 0, "rank 0 takes the logits")
        computeLogits(range, into: logits)
    }

    func shareLogits(_ range: Range<Int>) { computeLogits(range, into: nil) }

    private func computeLogits(_ range: Range<Int>, into logits: UnsafeMutablePointer<Float>?) {
        precondition(range.lowerBound >= 0 && range.upperBound <= hiddenRows, "logits are of rows the last step kept")
        precondition(range.count <= limits.logitRows, "at most \(limits.logitRows) rows of logits at once")
        if range.isEmpty { return }
        compute.beginStep()
        let head = weights[decoder.head.weight]
        if let group {
            // No part is wider than rank 0's.
            let block = group.slotCount / vocabularyParts[0].count
            for first in stride(from: range.lowerBound, to: range.upperBound, by: block) {
                let rows = first..<min(range.upperBound, first + block)
                compute.matmul(hidden(rows.lowerBound), rows: rows.count, weights: head, into: group.ownSlot)
                let out = logits.map { $0 + (first - range.lowerBound) * config.vocabularySize }
                group.exchange { slot in if let out { joinParts(slot, rows: rows.count, into: out) } }
            }
        } else if let logits {
            compute.matmul(hidden(range.lowerBound), rows: range.count, weights: head, into: logits)
        }
        compute.endStep()
    }

    /// Hidden states of the kept rows from `row` on.
    private func hidden(_ row: Int) -> UnsafeRawPointer {
        UnsafeRawPointer(scratch.hidden + row * config.hiddenSize * dtype.size)
    }

    /// Puts the ranks' parts of each row of logits side by side.
    private func joinParts(
        _ slot: (Int) -> UnsafePointer<Float>, rows: Int, into logits: UnsafeMutablePointer<Float>
    ) {
        for (rank, part) in vocabularyParts.enumerated() {
            for row in 0..<rows {
                (logits + row * config.vocabularySize + part.lowerBound)
                    .update(from: slot(rank) + row * part.count, count: part.count)
            }
        }
    }

    /// Normalises the residual rows whose logits will be asked for; only they ever reach the output head.
    private func keepHiddenStates(_ step: borrowing Step) {
        let norm = decoder.norm
        compute.rmsNorm(
            step.wantedResidual(), rows: step.wantedRows.count, size: norm.size, weight: weights[norm.weight],
            epsilon: norm.epsilon, dtype: dtype, into: scratch.hidden)
    }

    /// Lends the input's arrays and the scratch memory to the layers.
    private func withStep(_ input: borrowing ForwardInput, _ body: (inout Step) -> Void) {
        for (index, sequence) in input.sequences.enumerated() {
            scratch.sequences[index] = AttentionSequence(
                rowStart: sequence.rowStart, rowCount: sequence.rowCount, slotStart: sequence.slotStart,
                length: sequence.length)
        }
        let positionCount = 1 + Int(input.positions.max() ?? 0)
        let table = rotary.table(covering: positionCount)
        let sequenceCount = input.sequences.count
        input.tokens.withUnsafeBufferPointer { tokens in
            input.positions.withUnsafeBufferPointer { positions in
                input.writeSlots.withUnsafeBufferPointer { writeSlots in
                    input.slots.withUnsafeBufferPointer { slots in
                        input.logitRows.withUnsafeBufferPointer { logitRows in
                            var step = Step(
                                compute: compute, weights: weights, cache: cache, rotary: table, dtype: dtype,
                                input: LentInput(
                                    tokens: tokens, positions: positions, writeSlots: writeSlots, slots: slots,
                                    logitRows: logitRows),
                                sequenceCount: sequenceCount, scratch: scratch, hiddenSize: config.hiddenSize,
                                shard: shard, group: group)
                            body(&step)
                        }
                    }
                }
            }
        }
    }

    /// Traps on an input that would read or write outside the model's memory.
    private func check(_ input: borrowing ForwardInput) {
        let rows = input.tokens.count
        precondition(rows <= limits.rows, "a step has at most \(limits.rows) rows")
        precondition(
            input.positions.count == rows && input.writeSlots.count == rows, "every row has a position and a slot")
        precondition(input.sequences.count <= limits.sequences, "a step has at most \(limits.sequences) sequences")
        let vocabulary = UInt32(config.vocabularySize)
        let (positions, slots) = (UInt32(limits.positions), UInt32(limits.slots))
        precondition(input.tokens.allSatisfy { UInt32(bitPattern: $0) < vocabulary }, "token ids lie in the vocabulary")
        precondition(
            input.positions.allSatisfy { UInt32(bitPattern: $0) < positions }, "positions lie in the context length")
        precondition(input.writeSlots.allSatisfy { UInt32(bitPattern: $0) < slots }, "slots lie in the cache")
        precondition(input.slots.allSatisfy { UInt32(bitPattern: $0) < slots }, "slots lie in the cache")
        precondition(
            input.logitRows.allSatisfy { UInt32(bitPattern: $0) < UInt32(rows) }, "logits are of rows of the step")
        precondition(input.logitRows.count <= limits.rows, "a row's logits are asked for once")
        var covered = 0
        for sequence in input.sequences {
            precondition(sequence.rowStart == covered && sequence.rowCount > 0, "sequences cover the rows in order")
            precondition(sequence.length >= sequence.rowCount, "a sequence's rows are its last positions")
            precondition(
                sequence.slotStart >= 0 && sequence.slotStart + sequence.length <= input.slots.count,
                "every position of a sequence has a slot")
            covered += sequence.rowCount
        }
        precondition(covered == rows, "every row belongs to a sequence")
    }
}
