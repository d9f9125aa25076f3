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
    private let places: [String: Place]

    /// Where a tensor lies; of one whose blocks have their scales elsewhere, where these are.
    private struct Place {
        var file: Int
        var offset: Int
        var scales: (file: Int, offset: Int)?
    }

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
        var places: [String: Place] = [:]
        var header: UInt64 = 0
        for (index, path) in paths.enumerated() {
            let file = try SafetensorsFile.isTorch(path) ? .torch(path: path) : SafetensorsFile(path: path)
            for tensor in file.tensors {
                let info = tensor.info.named((prefixes[path] ?? "") + tensor.info.name)
                guard tensors.updateValue(info, forKey: info.name) == nil else {
                    throw .malformed(file: path, place: "tensor `\(printable(info.name))`", reason: "is in two files")
                }
                places[info.name] = Place(file: index, offset: tensor.offset)
            }
            unreadable.merge(file.unreadable) { first, _ in first }
            header = checksum64("\(header) \(file.headerHash)")
            files.append(file)
        }
        Self.joinScales(&tensors, &places)
        self.files = files
        self.tensors = tensors
        self.unreadable = unreadable
        self.places = places
        identity = CheckpointIdentity(files: files.map { $0.mapped.stamp }, headerHash: header)
    }

    /// Makes MXFP4 tensors of those whose blocks and scales are two: `NAME_blocks`, 16 bytes a block, and `NAME_scales`.
    private static func joinScales(_ tensors: inout [String: TensorInfo], _ places: inout [String: Place]) {
        for (name, blocks) in tensors where name.hasSuffix("_blocks") && blocks.type == .uint8 {
            let whole = String(name.dropLast("_blocks".count)), scaleName = whole + "_scales"
            guard blocks.shape.count >= 2, blocks.shape.last == 16, let scales = tensors[scaleName],
                scales.type == .uint8, scales.shape == blocks.shape.dropLast(), tensors[whole] == nil,
                let place = places[name], let scalePlace = places[scaleName]
            else { continue }
            var shape = scales.shape
            shape[shape.count - 1] *= 32
            guard checkedElementCount(shape) != nil else { continue }
            tensors[whole] = TensorInfo(name: whole, shape: shape, type: .mxfp4, file: blocks.file)
            places[whole] = Place(
                file: place.file, offset: place.offset, scales: (scalePlace.file, scalePlace.offset))
            for part in [name, scaleName] { (tensors[part], places[part]) = (nil, nil) }
        }
    }

    /// Puts blocks and their scales together as GGUF files have them: a scale, then the numbers of the first half in the low bits
    /// and those of the second in the high ones, where neighbours shared a byte.
    private func joinBlocks(_ place: Place, _ blocks: Range<Int>, into out: UnsafeMutableRawPointer) {
        guard let scalePlace = place.scales else { return }
        let source = files[place.file].mapped.pointer(at: place.offset)
        let scales = files[scalePlace.file].mapped.pointer(at: scalePlace.offset)
        for block in blocks {
            let target = out + (block - blocks.lowerBound) * WeightType.mxfp4.blockBytes
            target.storeBytes(of: scales.load(fromByteOffset: block, as: UInt8.self), as: UInt8.self)
            func number(_ i: Int) -> UInt8 {
                let pair = source.load(fromByteOffset: block * 16 + i / 2, as: UInt8.self)
                return i % 2 == 0 ? pair & 15 : pair >> 4
            }
            for i in 0..<16 {
                target.storeBytes(of: number(i) | number(i + 16) << 4, toByteOffset: 1 + i, as: UInt8.self)
            }
        }
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
        let view = try own.viewed(as: tensor.shape)
        try checkRead(view, rows)
        guard !rows.isEmpty, own.elementCount > 0 else { return }
        let width = view.rowElements
        if place.scales != nil {
            let blocks = rows.lowerBound * width / 32..<rows.upperBound * width / 32
            let joined = UnsafeMutableRawPointer.allocate(
                byteCount: max(1, blocks.count) * own.type.blockBytes, alignment: 16)
            defer { joined.deallocate() }
            joinBlocks(place, blocks, into: joined)
            return readElements(own.type, base: joined, range: 0..<blocks.count * 32, into: out)
        }
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
        let view = try own.viewed(as: tensor.shape)
        try checkRows(view, rows)
        guard !rows.isEmpty, own.elementCount > 0 else { return }
        if place.scales != nil {
            let perRow = view.rowElements / 32
            return joinBlocks(place, rows.lowerBound * perRow..<rows.upperBound * perRow, into: out)
        }
        let rowBytes = view.rowElements * own.type.blockBytes
        let base = files[place.file].mapped.pointer(at: place.offset)
        out.copyMemory(from: base + rows.lowerBound * rowBytes, byteCount: rows.count * rowBytes)
    }
}
