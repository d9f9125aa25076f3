import Tensors

/// What a loaded model lends to its layers: threads, weights, memory and the other ranks.
struct ModelParts {
    /// Kernels and threads; of a part of a step, those of one thread.
    var compute: Compute
    /// The packed weights; others of the same layout may take their place between two steps.
    var weights: WeightStore
    let cache: KeyValueStore
    let rotary: RotaryTables
    let scratch: ScratchMemory
    /// What the layers choose for a step's rows; nil where none has experts.
    let chosenExperts: ChosenExperts?
    /// Type of activations and weights.
    let dtype: DType
    /// Width of the residual stream.
    let hiddenSize: Int
    /// What this rank holds.
    let shard: ShardPlan
    /// The other ranks; nil when there are none.
    let group: Collectives?
}

/// Everything a layer needs to do its part of one step: the model's parts and the step's rows.
///
/// Pointers are valid for the step. T stands for `rows`.
struct Step: ~Copyable {
    private let parts: ModelParts
    /// Rows of the step; fewer once the last layer has dropped those that are not wanted.
    private(set) var rows: Int
    /// `[T]` token ids.
    let tokens: UnsafePointer<Int32>
    /// `[T]` positions.
    let positions: UnsafePointer<Int32>
    private let writeSlots: UnsafePointer<Int32>
    private let slots: UnsafePointer<Int32>
    private let windowWriteSlots: UnsafePointer<Int32>?
    private let windowSlots: UnsafePointer<Int32>?
    /// The sequences of the step.
    private(set) var sequences: UnsafePointer<AttentionSequence>
    /// Number of sequences.
    private(set) var sequenceCount: Int
    /// Rows that answers are made of; nil for all.
    let wantedRows: UnsafeBufferPointer<Int32>?
    /// `[T]` token types; nil where all are 0.
    let tokenTypes: UnsafePointer<Int32>?
    private var vectorRows = UnsafeBufferPointer<Int32>(start: nil, count: 0)
    private var vectors = UnsafeBufferPointer<Float>(start: nil, count: 0)
    /// Residual stream, float32 `[T][hidden]`.
    private(set) var residual: UnsafeMutablePointer<Float>
    /// Rotated queries, float32 `[T][query heads * dimension]`.
    private(set) var query: UnsafeMutablePointer<Float>
    private let keepsEveryRow: Bool
    private var hasDroppedRows = false
    private let place: PartPlace

    /// Kernels and threads.
    var compute: Compute { parts.compute }
    /// The packed weights.
    var weights: WeightStore { parts.weights }
    /// Type of activations and weights.
    var dtype: DType { parts.dtype }
    /// What this rank holds.
    var shard: ShardPlan { parts.shard }
    /// The other ranks; nil when there are none.
    var group: Collectives? { parts.group }

    /// Normalised input of a block, model dtype `[T][hidden]`.
    var normed: UnsafeMutableRawPointer { parts.scratch[.normed, row: place.memoryRow] }
    /// Result of a fused projection, float32, as wide as the widest.
    var fused: UnsafeMutablePointer<Float> { floats(.fused) }
    /// Attention's result, model dtype `[T][query heads * dimension]`.
    var attended: UnsafeMutableRawPointer { parts.scratch[.attended, row: place.memoryRow] }
    /// Sums of squares of queries and of keys, float32 `[2][T]`.
    var squares: UnsafeMutablePointer<Float> { floats(.squares) }
    /// The gated product inside the MLP, model dtype `[T][intermediate]`.
    var gated: UnsafeMutableRawPointer { parts.scratch[.gated, row: place.memoryRow] }

    /// What one of two blocks side by side gives, float32 `[T][hidden]`.
    var sideBranch: UnsafeMutablePointer<Float> { floats(.sideBranch) }
    /// What the rows' tokens give to each layer, float32, by the rows that the step began with.
    var layerInputs: UnsafeMutablePointer<Float> { floats(.layerInputs) }

    /// Describes a step; `input`'s arrays are lent by the caller, its sequences lie in the scratch memory.
    init(_ parts: ModelParts, input: LentInput, sequenceCount: Int) {
        self.init(parts, input: input, sequenceCount: sequenceCount, wantedRows: input.wantedRows, at: PartPlace())
    }

    /// The same for a part of it, whose rows and sequences `place` tells, and of whose rows `wantedRows` are wanted.
    init(
        _ parts: ModelParts, input: LentInput, sequenceCount: Int, wantedRows: UnsafeBufferPointer<Int32>?,
        at place: PartPlace
    ) {
        self.parts = parts
        self.place = place
        rows = place.rows ?? input.tokens.count
        tokens = input.tokens.baseAddress! + place.firstRow
        positions = input.positions.baseAddress! + place.firstRow
        writeSlots = input.writeSlots.baseAddress! + place.firstRow
        slots = input.slots.baseAddress!
        windowWriteSlots = input.window.map { $0.writeSlots + place.firstRow }
        windowSlots = input.window?.slots
        self.wantedRows = wantedRows
        tokenTypes = input.tokenTypes.map { $0 + place.firstRow }
        keepsEveryRow = input.keepsEveryRow
        sequences = UnsafePointer(parts.scratch.sequences + place.firstSequence)
        self.sequenceCount = sequenceCount
        residual = parts.scratch.floats(.residual) + place.firstRow * parts.hiddenSize
        query = parts.scratch[.query, row: place.memoryRow].assumingMemoryBound(to: Float.self)
    }

    private func floats(_ area: ScratchArea) -> UnsafeMutablePointer<Float> {
        parts.scratch[area, row: place.memoryRow].assumingMemoryBound(to: Float.self)
    }

    /// Where the rows of this part that are wanted go, behind those of the parts before.
    private var gathered: UnsafeMutablePointer<Float> {
        parts.scratch.floats(.gathered) + place.firstWanted * parts.hiddenSize
    }

    /// Puts vectors that came with the step, times `scale`, into the place of those of its tokens.
    borrowing func placeVectors(into out: UnsafeMutablePointer<Float>, scale: Float = 1) {
        for (number, row) in vectorRows.enumerated() {
            let target = out + Int(row) * parts.hiddenSize
            target.update(from: vectors.baseAddress! + number * parts.hiddenSize, count: parts.hiddenSize)
            compute.cap(target, count: parts.hiddenSize, scale: scale, cap: nil)
        }
    }

    /// Takes vectors that came with the step in the place of some tokens'.
    mutating func setVectors(_ rows: UnsafeBufferPointer<Int32>, _ numbers: UnsafeBufferPointer<Float>) {
        (vectorRows, vectors) = (rows, numbers)
    }

    /// A layer's cache, and the slots that it has there.
    borrowing func cache(_ id: CacheID) -> CacheView {
        if parts.cache.hasWindow(id), let windowWriteSlots, let windowSlots {
            return CacheView(layer: parts.cache[id], writeSlots: windowWriteSlots, slots: windowSlots)
        }
        return CacheView(layer: parts.cache[id], writeSlots: writeSlots, slots: slots)
    }

    /// Cosines and sines of the kind that a layer uses.
    borrowing func rotary(_ id: RotaryID?) -> RotaryTable {
        guard let id else { return .none }
        return parts.rotary[id]
    }

    /// Where a layer writes the experts of the step's rows, `[T][each]`.
    borrowing func chosenExperts(_ id: RoutingID) -> UnsafeMutablePointer<Int32> { parts.chosenExperts![id] }

    /// Drops the rows whose answers nobody wants: for the last layer, once its keys and values are stored.
    ///
    /// Each row that stays becomes a sequence of its own, which has the same bits; only worth it when that makes no more
    /// sequences than there are, as where each wants its last row or none. With `seesAll` a row sees what comes behind it too,
    /// whatever its own position.
    mutating func dropUnwantedRows(querySize: Int, seesAll: Bool = false) {
        guard !keepsEveryRow, let wantedRows, wantedRows.count < rows, wantedRows.count <= sequenceCount else {
            return
        }
        let count = wantedRows.count
        let kept = parts.scratch.wantedSequences + place.firstSequence
        for (index, row) in wantedRows.enumerated() {
            let row = row - Int32(place.firstRow)
            var own = sequences
            while row >= own.pointee.rowStart + own.pointee.rowCount { own += 1 }
            let before = own.pointee.length - own.pointee.rowCount + row - own.pointee.rowStart + 1
            let length = seesAll ? own.pointee.length : before
            kept[index] = AttentionSequence(
                rowStart: index, rowCount: 1, slotStart: Int(own.pointee.slotStart), length: Int(length))
        }
        gather(query, wantedRows, size: querySize, into: fused)
        gather(residual, wantedRows, size: parts.hiddenSize, into: gathered)
        query = fused
        residual = gathered
        sequences = UnsafePointer(kept)
        sequenceCount = count
        rows = count
        hasDroppedRows = true
    }

    /// The row that a row was before others were dropped.
    borrowing func firstRow(of row: Int) -> Int {
        guard hasDroppedRows, let wantedRows else { return row }
        return Int(wantedRows[row]) - place.firstRow
    }

    /// The residual rows whose answers are wanted.
    @discardableResult
    borrowing func wantedResidual() -> UnsafeMutablePointer<Float> {
        if !hasDroppedRows, let wantedRows { gather(residual, wantedRows, size: parts.hiddenSize, into: gathered) }
        return gathered
    }

    /// Takes note that parts of the step have put the wanted rows aside.
    mutating func endParts() { hasDroppedRows = true }

    /// Normalises what a block gives, before it is added to the residual stream: `block` adds it to the memory it gets.
    borrowing func addBranch(
        _ norm: RMSNorm, _ block: (_ branch: UnsafeMutablePointer<Float>, _ step: borrowing Step) -> Void
    ) {
        let branch = floats(.branch)
        branch.update(repeating: 0, count: rows * parts.hiddenSize)
        block(branch, self)
        norm.normalize(branch, rows: rows, dtype: .float32, into: branch, parts)
        compute.add(branch, count: rows * parts.hiddenSize, to: residual)
    }

    /// Normalises the step's rows of float32 in place.
    borrowing func normalize(_ rows: UnsafeMutablePointer<Float>, _ norm: RMSNorm) {
        norm.normalize(rows, rows: self.rows, dtype: .float32, into: rows, parts)
    }

    /// The residual stream in the model's type, for a block that takes it as it is.
    borrowing func convertResidual() {
        compute.convert(residual, count: rows * parts.hiddenSize, to: dtype, into: normed)
    }

    private borrowing func gather(
        _ source: UnsafeMutablePointer<Float>, _ indices: UnsafeBufferPointer<Int32>, size: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        guard let first = indices.baseAddress, !indices.isEmpty else { return }
        guard place.firstRow > 0 else {
            compute.gatherRows(source, indices: first, count: indices.count, size: size, into: out)
            return
        }
        let own = parts.scratch.keptRows + place.firstWanted
        for index in indices.indices { own[index] = indices[index] - Int32(place.firstRow) }
        compute.gatherRows(source, indices: own, count: indices.count, size: size, into: out)
    }
}

/// The arrays of a step's input, lent for its duration.
struct LentInput {
    /// The slots of layers with a window.
    struct Window {
        let writeSlots: UnsafePointer<Int32>
        let slots: UnsafePointer<Int32>
    }

    let tokens: UnsafeBufferPointer<Int32>
    let positions: UnsafeBufferPointer<Int32>
    let writeSlots: UnsafeBufferPointer<Int32>
    let slots: UnsafeBufferPointer<Int32>
    /// The slots of layers with a window, where they have their own.
    let window: Window?
    let wantedRows: UnsafeBufferPointer<Int32>?
    let tokenTypes: UnsafePointer<Int32>?
    let keepsEveryRow: Bool
}
