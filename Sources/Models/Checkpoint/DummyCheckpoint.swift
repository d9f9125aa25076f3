internal import Values

/// Random weights for `--load-format dummy`: every tensor the model asks for exists, uniform in ±1e-3, and no weight
/// file is read.
///
/// Number `i` of a tensor depends on the tensor's name and `i` alone, so shards and chunks see the same matrix.
package struct DummyCheckpoint: Checkpoint {
    private let place: ModelPath
    /// The folder or file it was opened with.
    package var path: String { place.path }
    /// The stamp of the configuration.
    package let identity: CheckpointIdentity

    /// Empty: tensors come into being when they are asked for.
    package var tensors: [String: TensorInfo] { [:] }
    /// True: any name of any shape exists.
    package var inventsTensors: Bool { true }

    /// Needs a `config.json` in the folder, or a GGUF file for its metadata.
    init(_ place: ModelPath) throws(CheckpointError) {
        self.place = place
        let source = place.kind == .folder ? joinedPath(place.path, "config.json") : place.path
        identity = CheckpointIdentity(
            files: [try FileStamp(ofFileAt: source)], headerHash: checksum64("dummy", seed: DummyCheckpoint.seed))
    }

    /// The tokenizer, when the path is a GGUF file.
    package func vocabulary() throws(CheckpointError) -> StoredVocabulary? {
        place.kind == .gguf ? try readStoredVocabulary(path: place.path) : nil
    }

    /// See `Checkpoint`; the tensor may be any whose shape has been checked.
    package func readRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) throws(CheckpointError) {
        try checkRead(tensor, rows)
        let width = tensor.rowElements
        let first = UInt64(rows.lowerBound * width)
        let stream = checksum64(tensor.name, seed: DummyCheckpoint.seed)
        for index in 0..<rows.count * width {
            // The generator as a function of its counter; 24 bits fill a float's significand.
            let z = SplitMix64.mixed(stream &+ (first &+ UInt64(index) &+ 1) &* SplitMix64.increment)
            out[index] = (Float(Int32(truncatingIfNeeded: z &>> 40)) - 8_388_608) * (1e-3 / 8_388_608)
        }
    }

    /// Invented tensors are stored nowhere.
    package func readStoredRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutableRawPointer
    ) throws(CheckpointError) {
        throw .unsupported(file: path, place: "tensor `\(printable(tensor.name))`", reason: "is not stored")
    }

    private static let seed: UInt64 = 1234
}
