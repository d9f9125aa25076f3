import Tensors

/// A network's layers; what surrounds them (cache, scratch memory, output logits) is the same for all of them.
protocol Decoder {
    /// The norm before the output head.
    var norm: RMSNorm { get }
    /// From normalised hidden states to logits.
    var head: LanguageModelHead { get }

    /// Carries the step's rows from token ids to the residual stream after the last layer, which may drop rows whose
    /// logits nobody wants.
    func forward(_ step: inout Step)
}

/// Everything a layer needs to do its part of one step: threads, weights, cache, the step's rows and scratch memory.
///
/// Pointers are valid for the step. T stands for `rows`.
struct Step: ~Copyable {
    let compute: Compute
    let weights: WeightStore
    let cache: KeyValueStore
    let rotary: RotaryTable
    /// Type of activations and weights.
    let dtype: DType
    /// Rows of the step; fewer once the last layer has dropped those that are not wanted.
    private(set) var rows: Int
    /// `[T]` token ids.
    let tokens: UnsafePointer<Int32>
    /// `[T]` positions.
    let positions: UnsafePointer<Int32>
    /// `[T]` cache slots to write.
    let writeSlots: UnsafePointer<Int32>
    /// Cache slots of all sequences in position order.
    let slots: UnsafePointer<Int32>
    /// The sequences of the step.
    private(set) var sequences: UnsafePointer<AttentionSequence>
    /// Number of sequences.
    private(set) var sequenceCount: Int
    /// Rows whose logits are wanted.
    let wantedRows: UnsafeBufferPointer<Int32>
    /// Working memory.
    let scratch: ScratchMemory
    /// What this rank holds.
    let shard: ShardPlan
    /// The other ranks; nil when there are none.
    let group: Collectives?
    /// Residual stream, float32 `[T][hidden]`.
    private(set) var residual: UnsafeMutablePointer<Float>
    /// Rotated queries, float32 `[T][query heads * dimension]`.
    private(set) var query: UnsafeMutablePointer<Float>
    private let hiddenSize: Int
    private var hasDroppedRows = false

    /// Normalised input of a block, model dtype `[T][hidden]`.
    var normed: UnsafeMutableRawPointer { scratch.normed }
    /// Result of a fused projection, float32, as wide as the widest.
    var fused: UnsafeMutablePointer<Float> { scratch.fused }
    /// Attention's result, model dtype `[T][query heads * dimension]`.
    var attended: UnsafeMutableRawPointer { scratch.attended }
    /// The gated product inside the MLP, model dtype `[T][intermediate]`.
    var gated: UnsafeMutableRawPointer { scratch.gated }

    /// Describes a step; `input`'s arrays are lent by the caller.
    init(
        compute: Compute, weights: WeightStore, cache: KeyValueStore, rotary: RotaryTable, dtype: DType,
        input: LentInput, sequenceCount: Int, scratch: ScratchMemory, hiddenSize: Int,
        shard: ShardPlan, group: Collectives?
    ) {
        self.compute = compute
        self.weights = weights
        self.cache = cache
        self.rotary = rotary
        self.dtype = dtype
        rows = input.tokens.count
        tokens = input.tokens.baseAddress!
        positions = input.positions.baseAddress!
        writeSlots = input.writeSlots.baseAddress!
        slots = input.slots.baseAddress!
        wantedRows = input.logitRows
        sequences = UnsafePointer(scratch.sequences)
        self.sequenceCount = sequenceCount
        self.scratch = scratch
        residual = scratch.residual
        query = scratch.query
        self.hiddenSize = hiddenSize
        self.shard = shard
        self.group = group
    }

    /// Drops the rows whose logits nobody wants: for the last layer, once its keys and values are stored.
    ///
    /// Each row that stays becomes a sequence of its own, which has the same bits; only worth it when that makes no more
    /// sequences than there are, as where each wants its last row or none.
    mutating func dropUnwantedRows(querySize: Int) {
        let count = wantedRows.count
        guard count < rows, count <= sequenceCount else { return }
        for (index, row) in wantedRows.enumerated() {
            var own = sequences
            while row >= own.pointee.rowStart + own.pointee.rowCount { own += 1 }
            let length = own.pointee.length - own.pointee.rowCount + row - own.pointee.rowStart + 1
            scratch.wantedSequences[index] = AttentionSequence(
                rowStart: index, rowCount: 1, slotStart: Int(own.pointee.slotStart), length: Int(length))
        }
        gather(query, size: querySize, into: fused)
        gather(residual, size: hiddenSize, into: scratch.gathered)
        query = fused
        residual = scratch.gathered
        sequences = UnsafePointer(scratch.wantedSequences)
        sequenceCount = count
        rows = count
        hasDroppedRows = true
    }

    /// The residual rows whose logits are wanted.
    borrowing func wantedResidual() -> UnsafeMutablePointer<Float> {
        if !hasDroppedRows { gather(residual, size: hiddenSize, into: scratch.gathered) }
        return scratch.gathered
    }

    private borrowing func gather(
        _ source: UnsafeMutablePointer<Float>, size: Int, into out: UnsafeMutablePointer<Float>
    ) {
        guard let indices = wantedRows.baseAddress else { return }
        compute.gatherRows(source, indices: indices, count: wantedRows.count, size: size, into: out)
    }
}

/// The arrays of a step's input, lent for its duration.
struct LentInput {
    let tokens: UnsafeBufferPointer<Int32>
    let positions: UnsafeBufferPointer<Int32>
    let writeSlots: UnsafeBufferPointer<Int32>
    let slots: UnsafeBufferPointer<Int32>
    let logitRows: UnsafeBufferPointer<Int32>
}

/// Working memory of the layers, reserved once for the largest step.
final class ScratchMemory {
    let residual: UnsafeMutablePointer<Float>
    let normed: UnsafeMutableRawPointer
    let fused: UnsafeMutablePointer<Float>
    let query: UnsafeMutablePointer<Float>
    let attended: UnsafeMutableRawPointer
    let gated: UnsafeMutableRawPointer
    /// Normalised hidden states of the rows whose logits are wanted, model dtype `[rows][hidden]`.
    let hidden: UnsafeMutableRawPointer
    /// The same rows before the norm, float32 `[rows][hidden]`.
    let gathered: UnsafeMutablePointer<Float>
    /// The step's sequences as attention takes them.
    let sequences: UnsafeMutablePointer<AttentionSequence>
    /// Single rows as sequences, where others have been dropped.
    let wantedSequences: UnsafeMutablePointer<AttentionSequence>
    private let memory: AlignedBuffer

    /// Reserves memory for the limits' rows and sequences.
    init(_ config: ModelConfig, shard: ShardPlan, dtype: DType, limits: ForwardLimits) throws(CheckpointError) {
        let queries = shard.queryHeads.count * config.headDimension
        let projected = queries + 2 * shard.keyValueHeads.count * config.headDimension
        let fusedSize = config.mlpBias ? max(projected, 2 * shard.intermediate.count) : projected
        let float = MemoryLayout<Float>.size
        let sizes = [
            config.hiddenSize * float, config.hiddenSize * dtype.size, fusedSize * float, queries * float,
            queries * dtype.size, shard.intermediate.count * dtype.size, config.hiddenSize * dtype.size,
            config.hiddenSize * float,
        ].map { ($0 * limits.rows + 127) / 64 * 64 }
        let byteCount = sizes.reduce(0, +) + 2 * limits.sequences * MemoryLayout<AttentionSequence>.stride
        guard let memory = AlignedBuffer(byteCount: byteCount) else {
            throw .outOfMemory(
                purpose: "the rows of a step (--max-running-requests, --chunked-prefill-size)", byteCount: byteCount)
        }
        self.memory = memory
        var next = memory.pointer
        let parts = sizes.map { size in
            defer { next += size }
            return next
        }
        residual = parts[0].assumingMemoryBound(to: Float.self)
        normed = parts[1]
        fused = parts[2].assumingMemoryBound(to: Float.self)
        query = parts[3].assumingMemoryBound(to: Float.self)
        attended = parts[4]
        gated = parts[5]
        hidden = parts[6]
        gathered = parts[7].assumingMemoryBound(to: Float.self)
        sequences = next.assumingMemoryBound(to: AttentionSequence.self)
        wantedSequences = sequences + limits.sequences
    }
}
