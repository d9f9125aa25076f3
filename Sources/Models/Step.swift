import Tensors

/// A network's layers; what surrounds them (cache, scratch memory, output logits) is the same for all of them.
protocol Decoder {
    /// The norm before the output head.
    var norm: RMSNorm { get }
    /// From normalised hidden states to logits.
    var head: LanguageModelHead { get }

    /// Carries the step's rows from token ids to the residual stream after the last layer.
    func forward(_ step: borrowing Step)
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
    /// Rows of the step.
    let rows: Int
    /// `[T]` token ids.
    let tokens: UnsafePointer<Int32>
    /// `[T]` positions.
    let positions: UnsafePointer<Int32>
    /// `[T]` cache slots to write.
    let writeSlots: UnsafePointer<Int32>
    /// Cache slots of all sequences in position order.
    let slots: UnsafePointer<Int32>
    /// The sequences of the step.
    let sequences: UnsafePointer<AttentionSequence>
    /// Number of sequences.
    let sequenceCount: Int
    /// Working memory.
    let scratch: ScratchMemory
    /// What this rank holds.
    let shard: ShardPlan
    /// The other ranks; nil when there are none.
    let group: Collectives?

    /// Residual stream, float32 `[T][hidden]`.
    var residual: UnsafeMutablePointer<Float> { scratch.residual }
    /// Normalised input of a block, model dtype `[T][hidden]`.
    var normed: UnsafeMutableRawPointer { scratch.normed }
    /// Result of a fused projection, float32, as wide as the widest.
    var fused: UnsafeMutablePointer<Float> { scratch.fused }
    /// Rotated queries, float32 `[T][query heads * dimension]`.
    var query: UnsafeMutablePointer<Float> { scratch.query }
    /// Attention's result, model dtype `[T][query heads * dimension]`.
    var attended: UnsafeMutableRawPointer { scratch.attended }
    /// The gated product inside the MLP, model dtype `[T][intermediate]`.
    var gated: UnsafeMutableRawPointer { scratch.gated }
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
        let byteCount = sizes.reduce(0, +) + limits.sequences * MemoryLayout<AttentionSequence>.stride
        guard let memory = AlignedBuffer(byteCount: byteCount) else { throw .outOfMemory(byteCount: byteCount) }
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
    }
}
