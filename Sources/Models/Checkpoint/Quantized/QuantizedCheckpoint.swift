/// Safetensors that were quantized before they were published, with each quantized matrix under its own name: `X.qweight` and
/// what goes with it is `X.weight`.
///
/// A matrix whose numbers blocks of a GGUF file can hold exactly has their type, so that it runs in its own bits; others are
/// read as plain numbers.
package final class QuantizedCheckpoint: Checkpoint {
    /// The folder or file it was opened with.
    package var path: String { files.path }
    /// Every tensor by name; what quantized ones are made of is not among them.
    package let tensors: [String: TensorInfo]
    /// That of the files, with how they are read.
    package let identity: CheckpointIdentity
    /// As of the files.
    package var unreadable: [String: CheckpointError] { files.unreadable }
    /// As of the files.
    package var toleratesExtraTensors: Bool { files.toleratesExtraTensors }
    /// As of the files.
    package var warnings: [String] { files.warnings }
    private let files: SafetensorsCheckpoint
    private let matrices: [String: StoredMatrix]

    /// False: only stored tensors exist.
    package var inventsTensors: Bool { false }

    /// A matrix that is made of several tensors.
    enum StoredMatrix: Sendable {
        case grouped(GroupedMatrix)
        case scaled(ScaledMatrix)
    }

    /// Finds the quantized matrices; throws for one that lacks a part or whose parts do not go together.
    init(_ files: SafetensorsCheckpoint, _ stored: StoredQuantization) throws(CheckpointError) {
        self.files = files
        var parts = QuantizedParts(files: files, stored: stored)
        try parts.findAll()
        matrices = parts.matrices
        tensors = parts.tensors
        var identity = files.identity
        // The number tells packed forms apart: E4M3 was unpacked once.
        identity.headerHash = checksum64("\(identity.headerHash) \(stored.name) 2")
        self.identity = identity
    }

    /// Nil: the tokenizer lies beside the weights in files of its own.
    package func vocabulary() throws(CheckpointError) -> StoredVocabulary? { nil }

    /// See `Checkpoint`.
    package func readRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) throws(CheckpointError) {
        guard let matrix = matrices[tensor.name], let own = tensors[tensor.name] else {
            return try files.readRows(tensor, rows: rows, into: out)
        }
        try checkRead(own, rows)
        for row in rows {
            let target = out + (row - rows.lowerBound) * own.rowElements
            switch matrix {
            case .grouped(let matrix): matrix.read(row, into: target)
            case .scaled(let matrix): matrix.read(row, into: target)
            }
        }
    }

    /// See `Checkpoint`; a matrix that is made of several tensors comes as the blocks or numbers it is told to have.
    package func readStoredRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutableRawPointer
    ) throws(CheckpointError) {
        guard let matrix = matrices[tensor.name], let own = tensors[tensor.name] else {
            return try files.readStoredRows(tensor, rows: rows, into: out)
        }
        try checkRows(own, rows)
        let rowBytes = own.storedRowBytes
        for row in rows {
            let target = out + (row - rows.lowerBound) * rowBytes
            switch matrix {
            case .grouped(let grouped) where own.type.blockElements > 1:
                grouped.readBlocks(row, as: own.type, into: target)
            case .scaled(let scaled) where own.type == .scaledFloat8: scaled.readCodes(row, into: target)
            default:
                throw .unsupported(
                    file: own.file, place: "tensor `\(printable(own.name))`",
                    reason: "has no blocks to be packed as they are")
            }
        }
    }
}
