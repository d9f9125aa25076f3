import Tensors

/// A network and a head with everything around them: weights, cache, rotary tables and scratch memory.
final class CausalLM: LanguageModel {
    let config: ModelConfig
    let task: ModelTask
    let limits: ForwardLimits
    private(set) var report: LoadReport
    var weightFile: String? { parts.weights.file }
    let cacheBytesPerSlot: Int
    private let network: any Network
    private let head: any Head
    private var parts: ModelParts
    /// How many hidden states the last step kept.
    private var hiddenRows = 0

    /// Joins the parts; reserves cache and scratch memory for the limits.
    init(_ planned: PlannedModel, _ prepared: PreparedWeights, _ options: LoadOptions) throws(CheckpointError) {
        let plan = planned.plan
        config = plan.config
        task = planned.task
        limits = options.limits
        network = planned.network
        head = planned.head
        if let most = network.positionLimit, limits.positions > most {
            throw .badConfig(
                file: plan.modelPath, key: "max_position_embeddings",
                reason: "\(limits.positions) positions are more than the network has (\(most))")
        }
        report = prepared.report
        let cacheDType = options.kvCacheDType.resolved(for: plan.dtype)
        cacheBytesPerSlot = KeyValueStore.bytesPerSlot(plan.caches, dtype: cacheDType)
        plan.reserve(.hidden, numbers: config.hiddenSize)
        plan.reserve(.gathered, floats: config.hiddenSize)
        parts = ModelParts(
            compute: options.compute, weights: WeightStore(prepared),
            cache: try KeyValueStore(
                plan.caches, dtype: cacheDType, slots: limits.slots, windowSlots: limits.windowSlots,
                descriptor: options.cacheMemory),
            rotary: try RotaryTables(plan.ropes, positions: limits.positions, modelPath: plan.modelPath),
            scratch: try ScratchMemory(plan.scratch, limits: limits),
            chosenExperts: try ChosenExperts(plan.experts, plan.routings, limits: limits),
            dtype: plan.dtype, hiddenSize: config.hiddenSize, shard: plan.shard, group: options.group)
    }

    var experts: ExpertTraits? { parts.chosenExperts?.traits }

    func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32> {
        parts.chosenExperts?.rows(inLayer: layer) ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    func forward(_ input: borrowing ForwardInput) {
        check(input)
        hiddenRows = input.logitRows.count
        parts.chosenExperts?.begin(rows: input.keepsEveryRow ? input.tokens.count : 0)
        if input.tokens.isEmpty { return }
        parts.compute.beginStep()
        findWantedRows(input)
        // Texts that become vectors have nothing to do with each other.
        let isApart = head.pooling != nil && parts.group == nil && experts == nil && input.vectorRows.isEmpty
        let sequenceCount = input.sequences.count
        withWindowSlots(input) { window in
            withStep(input, window) { step, lent in
                if !isApart || !network.forwardApart(&step, parts, lent, sequenceCount: sequenceCount) {
                    network.forward(&step)
                }
                keepHiddenStates(step, input)
            }
        }
        parts.compute.endStep()
    }

    func logits(_ range: Range<Int>, into logits: UnsafeMutablePointer<Float>) {
        precondition(parts.shard.rank.index == 0, "rank 0 takes the logits")
        computeLogits(range, into: logits)
    }

    func shareLogits(_ range: Range<Int>) { computeLogits(range, into: nil) }

    func hiddenStates(_ range: Range<Int>, into states: UnsafeMutablePointer<Float>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= hiddenRows, "only rows that the last step kept")
        let (first, count) = (range.lowerBound * parts.hiddenSize, range.count * parts.hiddenSize)
        parts.compute.convert(
            parts.scratch[.hidden] + first * parts.dtype.size, from: parts.dtype, count: count, into: states)
    }

    func check(_ weights: PreparedWeights) throws(CheckpointError) {
        guard let difference = weights.layout.difference(from: parts.weights.layout) else { return }
        throw .unsupported(file: weights.origin.path, place: "weights", reason: difference)
    }

    func exchangeWeights(_ weights: PreparedWeights) throws(CheckpointError) {
        try check(weights)
        parts.weights = WeightStore(weights)
        report = weights.report
    }

    func releaseWeights() { parts.weights.release() }

    func weightChecksum() -> (@Sendable () -> UInt64)? { parts.weights.checksum() }

    func releaseCache() { parts.cache.release() }

    func reserveCache() throws(CheckpointError) { try parts.cache.reserve() }

    func weight(named name: String, rows: Int) throws(CheckpointError) -> WeightRows? {
        try parts.weights.origin.read(name, rows: rows)
    }

    private func computeLogits(_ range: Range<Int>, into logits: UnsafeMutablePointer<Float>?) {
        precondition(range.lowerBound >= 0 && range.upperBound <= hiddenRows, "logits are of rows the last step kept")
        precondition(range.count <= limits.logitRows, "at most \(limits.logitRows) rows of logits at once")
        if range.isEmpty { return }
        parts.compute.beginStep()
        if head.pooling == .each {
            computeRows(range, into: logits)
        } else {
            let first = range.lowerBound * parts.hiddenSize
            let hidden =
                head.pooling == nil
                ? parts.scratch[.hidden] + first * parts.dtype.size
                : UnsafeMutableRawPointer(parts.scratch.floats(.gathered) + first)
            head(hidden, rows: range.count, parts, into: logits)
        }
        parts.compute.endStep()
    }

    /// A number for each row of the texts, which stand at the beginning of their answers; the rest is 0.
    private func computeRows(_ range: Range<Int>, into numbers: UnsafeMutablePointer<Float>?) {
        numbers?.update(repeating: 0, count: range.count * task.width)
        for (place, text) in range.enumerated() {
            let span = parts.scratch.spans[text]
            let rows = parts.scratch.floats(.residual) + Int(span.first) * parts.hiddenSize
            head(rows, rows: Int(span.count), parts, into: numbers.map { $0 + place * task.width })
        }
    }

    /// Normalises the residual rows whose answers will be asked for, or pools those of their texts; nothing else ever reaches
    /// the head.
    private func keepHiddenStates(_ step: borrowing Step, _ input: borrowing ForwardInput) {
        if head.pooling?.isOneRow == false {
            network.norm?.normalize(step.residual, rows: step.rows, dtype: .float32, into: step.residual, parts)
        }
        if head.pooling == .each { return }
        if case .rows(let pooling) = head.pooling {
            parts.compute.poolRows(
                step.residual, size: parts.hiddenSize, spans: parts.scratch.spans, count: input.logitRows.count,
                pooling,
                into: parts.scratch.floats(.gathered))
            return
        }
        let rows = step.wantedResidual()
        let dtype = head.pooling == nil ? parts.dtype : .float32
        let target = head.pooling == nil ? parts.scratch[.hidden] : UnsafeMutableRawPointer(rows)
        if let norm = network.norm {
            norm.normalize(rows, rows: input.logitRows.count, dtype: dtype, into: target, parts)
        } else if head.pooling == nil {
            parts.compute.convert(rows, count: input.logitRows.count * parts.hiddenSize, to: dtype, into: target)
        }
    }

    /// Finds the rows that answers are made of: for each row of `logitRows` itself, its text's first, or all its text's.
    private func findWantedRows(_ input: borrowing ForwardInput) {
        guard let pooling = head.pooling, pooling != .last else { return }
        var sequence = input.sequences.startIndex
        for (index, row) in input.logitRows.enumerated() {
            while input.sequences[sequence].rowStart + input.sequences[sequence].rowCount <= row { sequence += 1 }
            let text = input.sequences[sequence]
            precondition(text.rowCount == text.length, "a text whose rows are pooled is computed in one step")
            let skipped = input.leadingRows.isEmpty ? 0 : Int(input.leadingRows[index])
            parts.scratch.firstRows[index] = Int32(text.rowStart + skipped)
            parts.scratch.spans[index] = RowSpan(
                first: text.rowStart + skipped, count: text.rowCount - skipped, skipped: skipped)
        }
    }

    /// The rows that must be carried to the end; nil for all of them.
    private func wantedRows(_ logitRows: UnsafeBufferPointer<Int32>) -> UnsafeBufferPointer<Int32>? {
        switch head.pooling {
        case nil, .last: logitRows
        case .first: UnsafeBufferPointer(start: parts.scratch.firstRows, count: logitRows.count)
        case .rows, .each: nil
        }
    }

    /// Lends the slots of the layers with a window, where they have their own.
    private func withWindowSlots(_ input: borrowing ForwardInput, _ body: (LentInput.Window?) -> Void) {
        guard limits.windowSlots != nil else { return body(nil) }
        input.windowWriteSlots.withUnsafeBufferPointer { writeSlots in
            input.windowSlots.withUnsafeBufferPointer { slots in
                body(LentInput.Window(writeSlots: writeSlots.baseAddress!, slots: slots.baseAddress!))
            }
        }
    }

    /// Lends the input's arrays and the scratch memory to the layers.
    private func withStep(
        _ input: borrowing ForwardInput, _ window: LentInput.Window?, _ body: (inout Step, LentInput) -> Void
    ) {
        for (index, sequence) in input.sequences.enumerated() {
            parts.scratch.sequences[index] = AttentionSequence(
                rowStart: sequence.rowStart, rowCount: sequence.rowCount, slotStart: sequence.slotStart,
                length: sequence.length)
        }
        parts.rotary.cover(1 + Int(input.positions.max() ?? 0))
        let sequenceCount = input.sequences.count
        // A network that tells no types apart has no use for them.
        let hasTypes = config.tokenTypeCount > 1 && !input.tokenTypes.isEmpty
        let keepsEveryRow = input.keepsEveryRow
        input.tokens.withUnsafeBufferPointer { tokens in
            input.positions.withUnsafeBufferPointer { positions in
                input.writeSlots.withUnsafeBufferPointer { writeSlots in
                    input.slots.withUnsafeBufferPointer { slots in
                        input.logitRows.withUnsafeBufferPointer { logitRows in
                            input.tokenTypes.withUnsafeBufferPointer { tokenTypes in
                                let lent = LentInput(
                                    tokens: tokens, positions: positions, writeSlots: writeSlots, slots: slots,
                                    window: window, wantedRows: wantedRows(logitRows),
                                    tokenTypes: hasTypes ? tokenTypes.baseAddress : nil,
                                    keepsEveryRow: keepsEveryRow)
                                var step = Step(parts, input: lent, sequenceCount: sequenceCount)
                                input.vectorRows.withUnsafeBufferPointer { rows in
                                    input.vectors.withUnsafeBufferPointer { vectors in
                                        step.setVectors(rows, vectors)
                                        body(&step, lent)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func checkWindow(_ input: borrowing ForwardInput) {
        guard let most = limits.windowSlots.map({ UInt32($0) }) else { return }
        precondition(
            input.windowSlots.count == input.slots.count && input.windowWriteSlots.count == input.writeSlots.count,
            "layers with a window have slots for all that others have slots for")
        precondition(
            input.windowSlots.allSatisfy { UInt32(bitPattern: $0) < most }
                && input.windowWriteSlots.allSatisfy { UInt32(bitPattern: $0) < most }, "slots lie in the cache")
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
        checkWindow(input)
        precondition(
            input.logitRows.allSatisfy { UInt32(bitPattern: $0) < UInt32(rows) }, "logits are of rows of the step")
        precondition(input.logitRows.count <= limits.rows, "a row's logits are asked for once")
        precondition(
            input.vectorRows.allSatisfy { UInt32(bitPattern: $0) < UInt32(rows) }
                && input.vectors.count == input.vectorRows.count * config.hiddenSize, "vectors are of rows of the step")
        precondition(
            input.leadingRows.isEmpty || input.leadingRows.count == input.logitRows.count,
            "every text says how many of its rows are passed over, or none")
        precondition(input.tokenTypes.isEmpty || input.tokenTypes.count == rows, "every row has a token type, or none")
        let types = UInt32(config.tokenTypeCount)
        precondition(
            types == 1 || input.tokenTypes.allSatisfy { UInt32(bitPattern: $0) < types },
            "the network knows the token types")
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
