/// One tensor of a GGUF file under the name it has there.
struct GGUFTensor {
    /// GGUF name, such as `blk.0.attn_q.weight`.
    let name: String
    /// Dimensions, slowest first (the file has them the other way round).
    let shape: [Int]
    /// How the numbers are stored.
    let type: WeightType
    /// Byte offset in the file.
    let offset: Int
    /// Bytes in the file.
    let byteCount: Int
}

/// A GGUF file (version 2 or 3, little-endian), mapped, its header parsed and checked.
///
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
final class GGUFFile: Sendable {
    /// The mapped bytes.
    let mapped: MappedFile
    /// Metadata by key.
    let metadata: [String: GGUFValue]
    /// The tensor table in file order.
    let tensors: [GGUFTensor]
    /// Checksum of everything before the tensor data.
    let headerHash: UInt64

    /// The path as given.
    var path: String { mapped.path }

    /// Maps and parses the file.
    init(path: String) throws(CheckpointError) {
        mapped = try MappedFile(path: path)
        var reader = ByteReader(file: path, bytes: mapped.bytes)
        let (tensorCount, keyCount) = try GGUFFile.readPreamble(&reader)
        metadata = try GGUFFile.readMetadata(&reader, count: keyCount)
        let alignment = try GGUFFile.alignment(metadata, file: path)
        let entries = try GGUFFile.readTensorTable(&reader, count: tensorCount)
        let headerEnd = reader.offset
        let dataStart = headerEnd + (alignment - headerEnd % alignment) % alignment
        tensors = try GGUFFile.place(entries, dataStart: dataStart, alignment: alignment, reader: reader)
        headerHash = checksum64(UnsafeRawBufferPointer(rebasing: mapped.bytes[..<headerEnd]))
    }

    /// Reads magic, version and the two counts.
    private static func readPreamble(_ reader: inout ByteReader) throws(CheckpointError) -> (tensors: Int, keys: Int) {
        guard reader.remaining >= 4, reader.bytes.prefix(4).elementsEqual("GGUF".utf8) else {
            throw reader.malformed(at: 0, "no GGUF magic")
        }
        try reader.skip(4, "the magic")
        let version = try reader.integer(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            let reason =
                version & 0xFFFF == 0
                ? "big-endian files are not readable" : "version \(version) is not readable (2 and 3 are)"
            throw .unsupported(file: reader.file, place: "byte 4", reason: reason)
        }
        // A tensor entry takes at least 32 bytes, a key at least 13.
        let tensors = try reader.count("the tensor count", itemSize: 32)
        return (tensors, try reader.count("the key count", itemSize: 13))
    }

    /// Reads the key-value pairs.
    private static func readMetadata(
        _ reader: inout ByteReader, count: Int
    ) throws(CheckpointError) -> [String: GGUFValue] {
        var metadata: [String: GGUFValue] = [:]
        for _ in 0..<count {
            let start = reader.offset
            let key = try reader.string("a key")
            let type = try reader.valueType()
            let value = try reader.value(type)
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw reader.malformed(at: start, "duplicate key `\(printable(key))`")
            }
        }
        return metadata
    }

    /// `general.alignment`, 32 when absent.
    private static func alignment(_ metadata: [String: GGUFValue], file: String) throws(CheckpointError) -> Int {
        let key = "general.alignment"
        guard let value = metadata[key] else { return 32 }
        guard case .unsigned(let raw) = value, raw >= 1, raw <= 1 << 20, raw & (raw - 1) == 0 else {
            throw .malformed(file: file, place: "key `\(key)`", reason: "not a power of two up to 2^20")
        }
        return Int(raw)
    }

    /// Reads the tensor table; offsets are still relative to the data section.
    private static func readTensorTable(
        _ reader: inout ByteReader, count: Int
    ) throws(CheckpointError) -> [GGUFTensor] {
        var tensors: [GGUFTensor] = []
        var names: Set<String> = []
        for _ in 0..<count {
            let start = reader.offset
            let name = try reader.string("a tensor name")
            let place = "tensor `\(printable(name))`"
            guard names.insert(name).inserted else { throw reader.malformed(at: start, "duplicate \(place)") }
            let rank = try reader.integer(UInt32.self, place)
            guard (1...4).contains(rank) else {
                throw .malformed(file: reader.file, place: place, reason: "\(rank) dimensions (1 to 4 are possible)")
            }
            var shape: [Int] = []
            for _ in 0..<rank {
                let dimension = try reader.integer(UInt64.self, place)
                guard dimension >= 1, dimension <= UInt64(Int.max) else {
                    throw .malformed(file: reader.file, place: place, reason: "a dimension of \(dimension)")
                }
                shape.insert(Int(dimension), at: 0)
            }
            let number = try reader.integer(UInt32.self, place)
            guard let type = WeightType(ggml: number) else {
                let name = GGUFTypeNames.name(of: number).map { "type \($0)" } ?? "ggml type \(number)"
                throw .unsupported(
                    file: reader.file, place: place,
                    reason: "\(name) is not readable; readable: \(GGUFTypeNames.readable)")
            }
            let offset = try reader.integer(UInt64.self, place)
            guard shape[shape.count - 1] % type.blockElements == 0,
                let elements = checkedElementCount(shape), let bytes = type.byteCount(elements: elements)
            else {
                throw .malformed(
                    file: reader.file, place: place, reason: "shape \(shape) is impossible for \(type.rawValue)")
            }
            // Clamped: `place` refuses what lies past the end of the file.
            let relative = Int(min(offset, UInt64(Int.max)))
            tensors.append(GGUFTensor(name: name, shape: shape, type: type, offset: relative, byteCount: bytes))
        }
        return tensors
    }

    /// Turns relative offsets into absolute ones; refuses what is unaligned, outside the file or overlapping.
    private static func place(
        _ entries: [GGUFTensor], dataStart: Int, alignment: Int, reader: ByteReader
    ) throws(CheckpointError) -> [GGUFTensor] {
        let dataCount = max(0, reader.bytes.count - dataStart)
        var previousEnd = 0
        for entry in entries.sorted(by: { $0.offset < $1.offset }) {
            let place = "tensor `\(printable(entry.name))`"
            guard entry.offset <= dataCount, entry.byteCount <= dataCount - entry.offset else {
                let reason =
                    "\(entry.byteCount) bytes at data offset \(entry.offset) pass the end (incomplete download?)"
                throw .malformed(file: reader.file, place: place, reason: reason)
            }
            guard entry.offset % alignment == 0 else {
                throw .malformed(
                    file: reader.file, place: place,
                    reason: "data offset \(entry.offset) is not aligned to \(alignment)")
            }
            guard entry.offset >= previousEnd else {
                throw .malformed(file: reader.file, place: place, reason: "overlaps the tensor before it")
            }
            previousEnd = entry.offset + entry.byteCount
        }
        return entries.map {
            GGUFTensor(
                name: $0.name, shape: $0.shape, type: $0.type, offset: dataStart + $0.offset, byteCount: $0.byteCount)
        }
    }
}
