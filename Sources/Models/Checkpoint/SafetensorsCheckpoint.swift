/// Safetensors files that together are one checkpoint.
package final class SafetensorsCheckpoint: Checkpoint {
    /// The folder or file it was opened with.
    package let path: String
    /// Every tensor by name.
    package let tensors: [String: TensorInfo]
    /// Stamps of the files and a checksum over their headers.
    package let identity: CheckpointIdentity
    /// Tensors of types that are not read here.
    package let unreadable: [String: CheckpointError]
    /// One line each for files and index entries that were passed over.
    package let warnings: [String]
    /// True: fine-tuned and quantised checkpoints carry more than the model as a rule.
    package var toleratesExtraTensors: Bool { true }
    private let files: [SafetensorsFile]
    private let places: [String: (file: Int, offset: Int)]

    /// False: only stored tensors exist.
    package var inventsTensors: Bool { false }

    /// Opens the files, which together are one checkpoint; the tensors of a file in `prefixes` have that before their names.
    init(
        files paths: [String], path: String, warnings: [String] = [], prefixes: [String: String] = [:]
    ) throws(CheckpointError) {
        self.path = path
        self.warnings = warnings
        var unreadable: [String: CheckpointError] = [:]
        var files: [SafetensorsFile] = []
        var tensors: [String: TensorInfo] = [:]
        var places: [String: (file: Int, offset: Int)] = [:]
        var header: UInt64 = 0
        for (index, path) in paths.enumerated() {
            let file = try SafetensorsFile(path: path)
            for tensor in file.tensors {
                let info = tensor.info.named((prefixes[path] ?? "") + tensor.info.name)
                guard tensors.updateValue(info, forKey: info.name) == nil else {
                    throw .malformed(file: path, place: "tensor `\(printable(info.name))`", reason: "is in two files")
                }
                places[info.name] = (index, tensor.offset)
            }
            unreadable.merge(file.unreadable) { first, _ in first }
            header = checksum64("\(header) \(file.headerHash)")
            files.append(file)
        }
        self.files = files
        self.tensors = tensors
        self.unreadable = unreadable
        self.places = places
        identity = CheckpointIdentity(files: files.map { $0.mapped.stamp }, headerHash: header)
    }

    /// The bytes of a tensor of this checkpoint.
    func bytes(of tensor: TensorInfo) -> StoredBytes {
        guard let place = places[tensor.name] else {
            preconditionFailure("\(tensor.name) is a tensor of this checkpoint")
        }
        return StoredBytes(tensor, file: files[place.file], offset: place.offset)
    }

    /// Nil: the tokenizer lies beside the weights in files of its own.
    package func vocabulary() throws(CheckpointError) -> StoredVocabulary? { nil }

    /// See `Checkpoint`.
    package func readRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) throws(CheckpointError) {
        guard let own = tensors[tensor.name], let place = places[tensor.name] else {
            throw .missingTensors(path: path, names: [tensor.name])
        }
        try checkRead(own, rows)
        guard !rows.isEmpty, own.elementCount > 0 else { return }
        let width = own.rowElements
        let base = files[place.file].mapped.pointer(at: place.offset)
        readElements(own.type, base: base, range: rows.lowerBound * width..<rows.upperBound * width, into: out)
    }

    /// See `Checkpoint`.
    package func readStoredRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutableRawPointer
    ) throws(CheckpointError) {
        guard let own = tensors[tensor.name], let place = places[tensor.name] else {
            throw .missingTensors(path: path, names: [tensor.name])
        }
        try checkRows(own, rows)
        guard !rows.isEmpty, own.elementCount > 0 else { return }
        let rowBytes = own.rowElements * own.type.blockBytes
        let base = files[place.file].mapped.pointer(at: place.offset)
        out.copyMemory(from: base + rows.lowerBound * rowBytes, byteCount: rows.count * rowBytes)
    }
}
