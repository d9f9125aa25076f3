package import Values

/// Where the weights of a model come from, whatever the file format: tensors by their Hugging Face names, read as
/// float32 rows.
package protocol Checkpoint: Sendable {
    /// The path it was opened with, for errors.
    var path: String { get }
    /// Every tensor by its Hugging Face name; empty when `inventsTensors`.
    var tensors: [String: TensorInfo] { get }
    /// What the cache of packed weights takes as this checkpoint's identity.
    var identity: CheckpointIdentity { get }
    /// Whether any name of any shape exists (`--load-format dummy`).
    var inventsTensors: Bool { get }
    /// Why tensors that the files have are not among `tensors`, by their names.
    var unreadable: [String: CheckpointError] { get }
    /// Whether tensors that a model does not use are usual in this format.
    var toleratesExtraTensors: Bool { get }
    /// One line each for what was passed over when it was opened.
    var warnings: [String] { get }

    /// The tokenizer metadata that GGUF files carry; nil for other formats.
    func vocabulary() throws(CheckpointError) -> StoredVocabulary?

    /// Reads rows of dimension 0 as float32, `rows.count * tensor.rowElements` numbers; a vector has rows of one
    /// number.
    ///
    /// Safe to call from several threads at once. Throws for an unknown tensor, rows outside it and integer types.
    func readRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) throws(CheckpointError)

    /// Copies rows of dimension 0 as they are stored, in the row order of `readRows`; for formats whose codes are packed
    /// as they are. A row is whole blocks.
    ///
    /// Safe to call from several threads at once. Throws for an unknown tensor, rows outside it and invented tensors.
    func readStoredRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutableRawPointer
    ) throws(CheckpointError)
}

extension Checkpoint {
    /// None, but for safetensors.
    package var unreadable: [String: CheckpointError] { [:] }
    /// False, but for safetensors: GGUF files are made for the models they name.
    package var toleratesExtraTensors: Bool { false }
    /// None, but for safetensors.
    package var warnings: [String] { [] }

    /// Reads rows of the tensor with this name; see `readRows(_:rows:into:)`.
    package func readRows(
        _ name: String, rows: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) throws(CheckpointError) {
        guard let tensor = tensors[name] else { throw .missingTensors(path: path, names: [name]) }
        try readRows(tensor, rows: rows, into: out)
    }
}

/// What a packed copy depends on: equal identities mean the same weights, short of deliberate forgery.
package struct CheckpointIdentity: Sendable, Hashable {
    /// Every weight file (the configuration file for dummy weights), in name order.
    package var files: [FileStamp]
    /// Checksum over the headers of all the files.
    package var headerHash: UInt64
}

/// Opens a checkpoint as `openCheckpoint(_:_:)` does, and shows what it stores in a way of its own as plain matrices.
package func openCheckpoint(
    _ path: String, _ format: LoadFormat, _ stored: StoredQuantization?
) throws(CheckpointError) -> any Checkpoint {
    try openCheckpoint(path, format, stored, head: nil)
}

/// The same, with the tensors of a file beside those of the model, which is a folder then.
func openCheckpoint(
    _ path: String, _ format: LoadFormat, _ stored: StoredQuantization?, head: HeadFile?
) throws(CheckpointError) -> any Checkpoint {
    let checkpoint = try openCheckpoint(path, format, head: head)
    guard let stored, stored != .int8Rows, stored != .mxfp4, let files = checkpoint as? SafetensorsCheckpoint else {
        return checkpoint
    }
    if stored == .turnedStacks { return TurnedCheckpoint(files) }
    return try QuantizedCheckpoint(files, stored)
}

/// Opens a model folder, a GGUF file (any part of a split one) or a safetensors file; see `ModelPath`.
///
/// `auto` takes safetensors if there are any, else GGUF; `dummy` reads no weight file.
///
/// Only headers are read here; every offset and length in them is checked against the size of the file.
package func openCheckpoint(_ path: String, _ format: LoadFormat) throws(CheckpointError) -> any Checkpoint {
    try openCheckpoint(path, format, head: nil)
}

private func openCheckpoint(
    _ path: String, _ format: LoadFormat, head: HeadFile?
) throws(CheckpointError) -> any Checkpoint {
    let place = try ModelPath(path)
    if format == .dummy { return try DummyCheckpoint(place) }
    if let head, place.kind != .folder || format == .gguf {
        throw .unreadable(path: joinedPath(path, head.name), reason: "only a folder of safetensors has one")
    }
    guard place.kind == .folder else {
        if place.kind == .safetensors && format != .gguf {
            return try SafetensorsCheckpoint(files: [place.path], path: place.path)
        }
        if place.kind == .gguf && format != .safetensors { return try GGUFCheckpoint(path: place.path) }
        throw .noWeights(path: path)
    }
    var found: SafetensorsFolder?
    if format != .gguf {
        let folder = try SafetensorsFolder(place.path, head: head)
        if let checkpoint = try folder.checkpoint() { return checkpoint }
        found = folder
    }
    if format != .safetensors, let file = try place.gguf() { return try GGUFCheckpoint(path: file) }
    if let pickle = try folderEntries(place.path).first(where: { isPickle($0) }) {
        throw .unsupported(
            file: joinedPath(place.path, pickle), place: "format",
            reason: "PyTorch pickle weights are not readable; convert them to safetensors")
    }
    if let other = found?.passedOver.first {
        throw .unsupported(
            file: joinedPath(place.path, other), place: "format",
            reason: "holds no model's weights, and there are no others in the folder")
    }
    throw .noWeights(path: path)
}

/// Whether the name is a PyTorch weight file and no left-over of training.
private func isPickle(_ name: String) -> Bool {
    let leftOvers: Set<String> = ["optimizer.pt", "training_args.bin", "scheduler.pt", "scaler.pt", "optimizer.bin"]
    return (name.hasSuffix(".bin") || name.hasSuffix(".pt")) && !leftOvers.contains(name) && !name.hasPrefix(".")
}

/// Converts elements `range` of a stored tensor that begins at `base`; blocks cut by the range go through a small
/// buffer.
func readElements(
    _ type: WeightType, base: UnsafeRawPointer, range: Range<Int>, into out: UnsafeMutablePointer<Float>
) {
    let size = type.blockElements
    let firstWhole = (range.lowerBound + size - 1) / size
    let endWhole = range.upperBound / size
    if range.lowerBound % size == 0 && range.upperBound % size == 0 {
        dequantize(type, from: base + firstWhole * type.blockBytes, blockCount: endWhole - firstWhole, into: out)
        return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { scratch in
        var position = range.lowerBound
        while position < range.upperBound {
            let block = position / size
            let end = min(range.upperBound, (block + 1) * size)
            dequantize(type, from: base + block * type.blockBytes, blockCount: 1, into: scratch.baseAddress!)
            for element in position..<end { out[element - range.lowerBound] = scratch[element - block * size] }
            position = end
        }
    }
}

/// Checks what every reader must check before it touches the bytes of a tensor.
func checkRows(_ tensor: TensorInfo, _ rows: Range<Int>) throws(CheckpointError) {
    guard rows.lowerBound >= 0, rows.upperBound <= tensor.rowCount else {
        throw .rowsOutOfRange(tensor: tensor.name, rows: rows, rowCount: tensor.rowCount)
    }
}

/// Checks what every reader must check before it reads a tensor as numbers.
func checkRead(_ tensor: TensorInfo, _ rows: Range<Int>) throws(CheckpointError) {
    try checkRows(tensor, rows)
    guard tensor.type.isFloat else {
        throw .unsupported(
            file: tensor.file, place: "tensor `\(printable(tensor.name))`",
            reason: "type \(tensor.type.rawValue) holds no plain numbers")
    }
}
