/// A GGUF file, whole or split in parts, under Hugging Face names and in Hugging Face row order.
///
/// llama.cpp's converter reorders the rows of q and k of some architectures for interleaved rotation: row `h·D + 2j + t` of
/// the file is row `h·D + t·D/2 + j` of the original (head h, half t, pair j). Reading undoes that.
package final class GGUFCheckpoint: Checkpoint {
    /// The file it was opened with.
    package let path: String
    /// Every tensor by its Hugging Face name; unknown ones keep their GGUF name.
    package let tensors: [String: TensorInfo]
    /// Stamps of the parts and a checksum over their headers.
    package let identity: CheckpointIdentity
    /// The parts, in order; metadata is in the first.
    let parts: [GGUFFile]
    private let places: [String: Place]

    /// Where a tensor lies and how its rows are ordered.
    private struct Place {
        var part: Int
        var offset: Int
        /// Rows of one head when q/k rows are interleaved in the file, else nil.
        var interleavedHead: Int?
        /// What is added to the file's numbers.
        var addend: Float = 0
    }

    /// False: only stored tensors exist.
    package var inventsTensors: Bool { false }

    /// Opens the file, or all the parts of the split file that `path` belongs to.
    package init(path: String) throws(CheckpointError) {
        self.path = path
        parts = try GGUFCheckpoint.openParts(path)
        var tensors: [String: TensorInfo] = [:]
        var places: [String: Place] = [:]
        let name = try parts[0].string("general.architecture") ?? ""
        let hasExperts = try parts[0].integer("\(name).expert_count") ?? 0 > 0
        let dialect = Architecture.of(gguf: name, hasExperts: hasExperts)?.gguf ?? GGUFDialect(name)
        for (index, part) in parts.enumerated() {
            for tensor in part.tensors where !ggufConfigurationTensors.contains(tensor.name) {
                let head =
                    dialect.interleavesHeads
                    ? try GGUFCheckpoint.interleavedHead(tensor, parts[0], name: dialect.name) : nil
                for piece in GGUFCheckpoint.pieces(of: tensor, dialect) {
                    guard tensors[piece.name] == nil else {
                        throw .malformed(
                            file: part.path, place: "tensor `\(printable(tensor.name))`", reason: "is in two parts")
                    }
                    tensors[piece.name] = TensorInfo(
                        name: piece.name, shape: piece.shape, type: tensor.type, file: part.path)
                    places[piece.name] = Place(
                        part: index, offset: piece.offset, interleavedHead: head,
                        addend: dialect.addsOneToNorms && tensor.name.hasSuffix("norm.weight") ? -1 : 0)
                }
            }
        }
        self.tensors = tensors
        self.places = places
        var header: UInt64 = 0
        for part in parts { header = checksum64("\(header) \(part.headerHash)") }
        identity = CheckpointIdentity(files: parts.map { $0.mapped.stamp }, headerHash: header)
    }

    /// What a tensor is under Hugging Face names: itself, or, where it stacks experts, one for each of them.
    private static func pieces(
        of tensor: GGUFTensor, _ dialect: GGUFDialect
    ) -> [(name: String, shape: [Int], offset: Int)] {
        if tensor.shape.count == (tensor.name.hasSuffix(".bias") ? 2 : 3), tensor.shape[0] <= 65_536,
            dialect.expertName(of: tensor.name, expert: 0) != nil
        {
            let shape = Array(tensor.shape[1...])
            if let elements = checkedElementCount(shape), let bytes = tensor.type.byteCount(elements: elements) {
                return (0..<tensor.shape[0]).map { expert in
                    let name = dialect.expertName(of: tensor.name, expert: expert) ?? tensor.name
                    return (name, shape, tensor.offset + expert * bytes)
                }
            }
        }
        let name = dialect.huggingFaceName(of: tensor.name) ?? tensor.name
        // The converter drops the first dimension of a matrix that has one row.
        let isRow = tensor.shape.count == 1 && name.hasSuffix("shared_expert_gate.weight")
        return [(name, isRow ? [1] + tensor.shape : tensor.shape, tensor.offset)]
    }

    /// The tokenizer of the first part.
    package func vocabulary() throws(CheckpointError) -> StoredVocabulary? {
        try StoredVocabulary(file: parts[0])
    }

    /// See `Checkpoint`; rows of q and k come in Hugging Face order.
    package func readRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) throws(CheckpointError) {
        guard let stored = tensors[tensor.name], let place = places[tensor.name] else {
            throw .missingTensors(path: path, names: [tensor.name])
        }
        let own = try stored.viewed(as: tensor.shape)
        try checkRead(own, rows)
        let base = parts[place.part].mapped.pointer(at: place.offset)
        let width = own.rowElements
        guard let head = place.interleavedHead else {
            readElements(own.type, base: base, range: rows.lowerBound * width..<rows.upperBound * width, into: out)
            if place.addend != 0 { for i in 0..<rows.count * width { out[i] += place.addend } }
            return
        }
        for row in rows {
            let source = interleavedRow(row, head: head)
            readElements(
                own.type, base: base, range: source * width..<(source + 1) * width,
                into: out + (row - rows.lowerBound) * width)
        }
    }

    /// See `Checkpoint`; rows of q and k come in Hugging Face order.
    package func readStoredRows(
        _ tensor: TensorInfo, rows: Range<Int>, into out: UnsafeMutableRawPointer
    ) throws(CheckpointError) {
        guard let stored = tensors[tensor.name], let place = places[tensor.name] else {
            throw .missingTensors(path: path, names: [tensor.name])
        }
        let own = try stored.viewed(as: tensor.shape)
        try checkRows(own, rows)
        guard let rowBytes = own.type.byteCount(elements: own.rowElements) else {
            throw .unsupported(
                file: path, place: "tensor `\(printable(tensor.name))`", reason: "a row is not whole blocks")
        }
        let base = parts[place.part].mapped.pointer(at: place.offset)
        for row in rows {
            let source = place.interleavedHead.map { interleavedRow(row, head: $0) } ?? row
            (out + (row - rows.lowerBound) * rowBytes).copyMemory(from: base + source * rowBytes, byteCount: rowBytes)
        }
    }

    /// Where the file has row `row` of an interleaved tensor.
    private func interleavedRow(_ row: Int, head: Int) -> Int {
        let within = row % head
        return row - within + within % (head / 2) * 2 + within / (head / 2)
    }

    /// Opens every part and checks that they belong together.
    private static func openParts(_ path: String) throws(CheckpointError) -> [GGUFFile] {
        guard let name = GGUFSplitName(path) else {
            let file = try GGUFFile(path: path)
            if let count = try file.integer("split.count"), count > 1 {
                let reason = "is one of \(count) parts, but the file is not named `…-00001-of-0000N.gguf`"
                throw .malformed(file: path, place: "key `split.count`", reason: reason)
            }
            return [file]
        }
        let missing = (1...name.count).map(name.path(of:)).filter { !fileExists($0) }
        guard missing.isEmpty else { throw .missingShards(index: path, names: missing) }
        var parts: [GGUFFile] = []
        for number in 1...name.count {
            let part = try GGUFFile(path: name.path(of: number))
            for (key, expected) in [("split.no", number - 1), ("split.count", name.count)] {
                guard let value = try part.integer(key), value != expected else { continue }
                let reason = "is \(value), the file name says \(expected)"
                throw .malformed(file: part.path, place: "key `\(key)`", reason: reason)
            }
            parts.append(part)
        }
        let found = parts.reduce(0) { $0 + $1.tensors.count }
        if let expected = try parts[0].integer("split.tensors.count"), expected != found {
            let reason = "is \(expected), the parts hold \(found) tensors"
            throw .malformed(file: parts[0].path, place: "key `split.tensors.count`", reason: reason)
        }
        return parts
    }

    /// Rows of a head when this is a q or k tensor, whose rows the converter interleaved; nil for other tensors.
    private static func interleavedHead(
        _ tensor: GGUFTensor, _ file: GGUFFile, name: String
    ) throws(CheckpointError) -> Int? {
        let isQuery = tensor.name.contains(".attn_q.")
        guard isQuery || tensor.name.contains(".attn_k.") else { return nil }
        let place = "tensor `\(printable(tensor.name))`"
        let layers = try file.integer("\(name).block_count")
        let queryHeads = try file.layerInteger("\(name).attention.head_count", layers: layers)
        let keyHeads = try file.layerInteger("\(name).attention.head_count_kv", layers: layers) ?? queryHeads
        guard let heads = isQuery ? queryHeads : keyHeads, heads >= 1 else {
            throw .malformed(
                file: file.path, place: "key `\(name).attention.head_count`", reason: "absent or not positive")
        }
        let rows = tensor.shape[0]
        guard rows % heads == 0, (rows / heads) % 2 == 0 else {
            throw .malformed(
                file: file.path, place: place, reason: "\(rows) rows do not make \(heads) heads of even size")
        }
        return rows / heads
    }
}
