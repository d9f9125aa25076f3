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

    /// The tokenizer metadata that GGUF files carry; nil for other formats.
    func vocabulary() throws(CheckpointError) -> GGUFVocabulary?

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

/// Opens a model folder, a `.gguf` file (any part of a split one) or a `.safetensors` file.
///
/// `auto` takes safetensors if there are any, else GGUF; `dummy` reads no weight file.
///
/// Only headers are read here; every offset and length in them is checked against the size of the file.
package func openCheckpoint(_ path: String, _ format: LoadFormat) throws(CheckpointError) -> any Checkpoint {
    guard fileExists(path) else { throw .unreadable(path: path, reason: "no such file or folder") }
    if format == .dummy { return try DummyCheckpoint(path: path) }
    guard isFolder(path) else {
        if path.hasSuffix(".safetensors") && format != .gguf {
            return try SafetensorsCheckpoint(files: [path], path: path)
        }
        if isGGUFFile(path) && format != .safetensors { return try GGUFCheckpoint(path: path) }
        throw .noWeights(path: path)
    }
    if format != .gguf, let checkpoint = try SafetensorsCheckpoint(folder: path) { return checkpoint }
    if format != .safetensors, let file = try ggufFile(inFolder: path) { return try GGUFCheckpoint(path: file) }
    let entries = try folderEntries(path)
    if let pickle = entries.first(where: { isPickle($0) }) {
        throw .unsupported(
            file: joinedPath(path, pickle), place: "format",
            reason: "PyTorch pickle weights are not readable; convert them to safetensors")
    }
    throw .noWeights(path: path)
}

/// Whether the path is a GGUF file: by its ending, or by the magic at its start.
package func isGGUFFile(_ path: String) -> Bool {
    if path.hasSuffix(".gguf") { return !isFolder(path) }
    guard !isFolder(path), let file = try? MappedFile(path: path) else { return false }
    return file.starts(with: "GGUF".utf8)
}

/// The GGUF file that stands for a folder: its only one, or the first part of its only split one; nil when there is
/// none.
func ggufFile(inFolder folder: String) throws(CheckpointError) -> String? {
    let names = try folderEntries(folder).filter { $0.hasSuffix(".gguf") && !$0.hasPrefix("mmproj") }
    let heads = names.filter { name in GGUFSplitName(name).map { $0.number == 1 } ?? true }
    guard heads.count <= 1 else {
        throw .unsupported(
            file: folder, place: "folder", reason: "\(heads.count) GGUF models; give the path of one file")
    }
    return (heads.first ?? names.first).map { joinedPath(folder, $0) }
}

/// Whether the name is a PyTorch weight file and no left-over of training.
private func isPickle(_ name: String) -> Bool {
    let leftOvers: Set<String> = ["optimizer.pt", "training_args.bin", "scheduler.pt", "scaler.pt", "optimizer.bin"]
    return (name.hasSuffix(".bin") || name.hasSuffix(".pt")) && !leftOvers.contains(name)
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
