import Tensors

/// The stretches of working memory, by purpose; layers of one purpose use the same one in turn.
enum ScratchArea: Int, CaseIterable {
    /// Residual stream, float32.
    case residual
    /// Normalised input of a block, model dtype.
    case normed
    /// Result of a fused projection, float32.
    case fused
    /// Rotated queries, float32.
    case query
    /// Attention's result, model dtype.
    case attended
    /// The gated product inside the MLP, model dtype.
    case gated
    /// Normalised hidden states of the rows whose answers are wanted, model dtype.
    case hidden
    /// The same rows before the norm, or what texts' rows were pooled to, float32.
    case gathered
    /// What a block gives, where it is normalised before it is added to the residual stream, float32.
    case branch
    /// Sums of squares of queries and of keys, where all heads of a row are normalised together, float32.
    case squares
    /// What one of two blocks side by side gives, where each is normalised by itself, float32.
    case sideBranch
    /// What a row's token gives to each layer, float32.
    case layerInputs
}

/// How many bytes of each area a row takes: the most that any layer asked for.
struct ScratchPlan {
    private(set) var rowBytes = [Int](repeating: 0, count: ScratchArea.allCases.count)

    /// Makes room for so many bytes of every row.
    mutating func reserve(_ area: ScratchArea, bytes: Int) {
        rowBytes[area.rawValue] = max(rowBytes[area.rawValue], bytes)
    }
}

/// Working memory of the layers, reserved once for the largest step.
final class ScratchMemory {
    private let memory: AlignedBuffer
    private let offsets: [Int]
    private let rowBytes: [Int]
    /// Rows that there is room for.
    let rows: Int
    /// The step's sequences as attention takes them.
    let sequences: UnsafeMutablePointer<AttentionSequence>
    /// Single rows as sequences, where others have been dropped.
    let wantedSequences: UnsafeMutablePointer<AttentionSequence>
    /// First rows of the texts whose answers are wanted.
    let firstRows: UnsafeMutablePointer<Int32>
    /// All rows of each of them.
    let spans: UnsafeMutablePointer<RowSpan>
    /// Numbers of the rows that stay where others are dropped, within their part of the step.
    let keptRows: UnsafeMutablePointer<Int32>
    /// First sequences of the step's parts.
    let partStarts: UnsafeMutablePointer<Int32>

    /// Reserves memory for the limits' rows and sequences.
    init(_ plan: ScratchPlan, limits: ForwardLimits) throws(CheckpointError) {
        var end = 0
        rowBytes = plan.rowBytes
        rows = limits.rows
        offsets = plan.rowBytes.map { bytes in
            defer { end += (bytes * limits.rows + 127) / 64 * 64 }
            return end
        }
        let sequenceBytes = 2 * limits.sequences * MemoryLayout<AttentionSequence>.stride
        let spanBytes = limits.sequences * MemoryLayout<RowSpan>.stride
        let numberBytes = (3 * limits.sequences + 1) * MemoryLayout<Int32>.stride
        let byteCount = end + sequenceBytes + spanBytes + numberBytes
        guard let memory = AlignedBuffer(byteCount: byteCount) else {
            throw .outOfMemory(
                purpose: "the rows of a step (--max-running-requests, --chunked-prefill-size)", byteCount: byteCount)
        }
        self.memory = memory
        sequences = (memory.pointer + end).assumingMemoryBound(to: AttentionSequence.self)
        wantedSequences = sequences + limits.sequences
        spans = (memory.pointer + end + sequenceBytes).assumingMemoryBound(to: RowSpan.self)
        firstRows = (memory.pointer + end + sequenceBytes + spanBytes).assumingMemoryBound(to: Int32.self)
        keptRows = firstRows + limits.sequences
        partStarts = keptRows + limits.sequences
    }

    /// First byte of an area.
    subscript(area: ScratchArea) -> UnsafeMutableRawPointer { memory.pointer + offsets[area.rawValue] }

    /// The same from a row on, as areas are cut for parts of a step.
    subscript(area: ScratchArea, row row: Int) -> UnsafeMutableRawPointer {
        memory.pointer + (offsets[area.rawValue] + row * rowBytes[area.rawValue])
    }

    /// First number of an area of float32.
    func floats(_ area: ScratchArea) -> UnsafeMutablePointer<Float> { self[area].assumingMemoryBound(to: Float.self) }
}
