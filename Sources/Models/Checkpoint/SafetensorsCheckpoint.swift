/// The safetensors files of a model folder.
package final class SafetensorsCheckpoint: Checkpoint {
    /// The folder or file it was opened with.
    package let path: String
    /// Every tensor by name.
    package let tensors: [String: TensorInfo]
    /// Stamps of the files and a checksum over their headers.
    package let identity: CheckpointIdentity
    private let files: [SafetensorsFile]
    private let places: [String: (file: Int, offset: Int)]

    /// False: only stored tensors exist.
    package var inventsTensors: Bool { false }

    /// Finds the files of a folder: those the index names, else all of them; nil when there are none.
    package convenience init?(folder: String) throws(CheckpointError) {
        let index = joinedPath(folder, "model.safetensors.index.json")
        if fileExists(index) {
            try self.init(index: index, folder: folder)
            return
        }
        var names = try folderEntries(folder).filter { $0.hasSuffix(".safetensors") }
        // Mistral ships its weights twice, in its own naming and in Hugging Face's.
        if names == ["consolidated.safetensors", "model.safetensors"] { names = ["model.safetensors"] }
        guard !names.isEmpty else { return nil }
        try self.init(files: names.map { joinedPath(folder, $0) }, path: folder)
    }

    /// Opens the shards that an index file names and checks that each tensor is where the index says.
    private convenience init(index: String, folder: String) throws(CheckpointError) {
        let root = ConfigFields(file: index, members: try readJSONFile(index))
        guard let map = try root.object("weight_map") else {
            throw .badConfig(file: index, key: "weight_map", reason: "is absent")
        }
        var shards: Set<String> = []
        var homes: [(tensor: String, shard: String)] = []
        for tensor in map.keys {
            let shard = try map.string(tensor) ?? ""
            guard !shard.isEmpty, !shard.contains("/"), shard != "..", !shard.utf8.contains(0) else {
                throw .badConfig(file: index, key: "weight_map.\(tensor)", reason: "is no file name")
            }
            shards.insert(shard)
            homes.append((tensor, shard))
        }
        let names = shards.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let missing = names.filter { !fileExists(joinedPath(folder, $0)) }
        guard missing.isEmpty else { throw .missingShards(index: index, names: missing) }
        try self.init(files: names.map { joinedPath(folder, $0) }, path: folder)
        for (tensor, shard) in homes.sorted(by: { $0.tensor < $1.tensor })
        where tensors[tensor]?.file != joinedPath(folder, shard) {
            throw .badConfig(
                file: index, key: "weight_map.\(tensor)", reason: "`\(printable(shard))` has no such tensor")
        }
    }

    /// Opens the files, which together are one checkpoint.
    package init(files paths: [String], path: String) throws(CheckpointError) {
        self.path = path
        var files: [SafetensorsFile] = []
        var tensors: [String: TensorInfo] = [:]
        var places: [String: (file: Int, offset: Int)] = [:]
        var header: UInt64 = 0
        for (index, path) in paths.enumerated() {
            let file = try SafetensorsFile(path: path)
            for tensor in file.tensors {
                guard tensors.updateValue(tensor.info, forKey: tensor.info.name) == nil else {
                    throw .malformed(
                        file: path, place: "tensor `\(printable(tensor.info.name))`", reason: "is in two files")
                }
                places[tensor.info.name] = (index, tensor.offset)
            }
            header = checksum64("\(header) \(file.headerHash)")
            files.append(file)
        }
        self.files = files
        self.tensors = tensors
        self.places = places
        identity = CheckpointIdentity(files: files.map { $0.mapped.stamp }, headerHash: header)
    }

    /// Nil: the tokenizer lies beside the weights in files of its own.
    package func vocabulary() throws(CheckpointError) -> GGUFVocabulary? { nil }

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
