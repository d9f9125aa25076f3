import JSON

/// One tensor of a safetensors file.
struct SafetensorsTensor {
    /// What readers see.
    let info: TensorInfo
    /// Byte offset in the file.
    let offset: Int
    /// Bytes in the file.
    let byteCount: Int
}

/// A safetensors file, mapped, its header parsed and checked.
///
/// Format: https://huggingface.co/docs/safetensors — 64-bit header length, JSON header, then the data, without holes
/// or overlaps.
final class SafetensorsFile: Sendable {
    /// Longest header that is parsed; the limit of the reference implementation.
    static let headerLimit = 100_000_000

    /// The mapped bytes.
    let mapped: MappedFile
    /// Tensors in the order of their data.
    let tensors: [SafetensorsTensor]
    /// Tensors of types that are not read here: nobody may need them.
    let unreadable: [String: CheckpointError]
    /// Checksum of length and header.
    let headerHash: UInt64

    /// Maps and parses the file.
    init(path: String) throws(CheckpointError) {
        mapped = try MappedFile(path: path)
        var reader = ByteReader(file: path, bytes: mapped.bytes)
        let length = try reader.integer(UInt64.self, "the header length")
        guard length <= UInt64(SafetensorsFile.headerLimit), length <= UInt64(reader.remaining) else {
            let reason = "a header of \(length) bytes in a file of \(mapped.count) (incomplete download?)"
            throw .malformed(file: path, place: "byte 0", reason: reason)
        }
        let dataStart = 8 + Int(length)
        let header = UnsafeRawBufferPointer(rebasing: mapped.bytes[8..<dataStart])
        guard header.first == UInt8(ascii: "{") else {
            throw .malformed(file: path, place: "byte 8", reason: "the header is no JSON object")
        }
        let entries = try parseJSONObject(header, file: path, place: "header")
        let all = try SafetensorsFile.readEntries(entries, file: path, dataStart: dataStart)
        try SafetensorsFile.checkCoverage(all, file: path, dataStart: dataStart, fileCount: mapped.count)
        tensors = all.compactMap(\.readable)
        unreadable = all.reduce(into: [:]) { found, entry in
            if entry.readable == nil { found[entry.name] = SafetensorsFile.unreadable(entry, file: path) }
        }
        headerHash = checksum64(UnsafeRawBufferPointer(rebasing: mapped.bytes[..<dataStart]))
    }

    /// A file of another format whose tensors were found.
    init(
        _ mapped: consuming MappedFile, tensors: [SafetensorsTensor], unreadable: [String: CheckpointError],
        headerHash: UInt64
    ) {
        self.mapped = mapped
        self.tensors = tensors
        self.unreadable = unreadable
        self.headerHash = headerHash
    }

    /// An entry of the header, and the tensor it is if its type is one that is read here.
    private struct Entry {
        let name: String
        let dtype: String
        let offset: Int
        let byteCount: Int
        let readable: SafetensorsTensor?
    }

    private static func unreadable(_ entry: Entry, file: String) -> CheckpointError {
        .unsupported(
            file: file, place: "tensor `\(printable(entry.name))`",
            reason: "dtype `\(printable(entry.dtype))` is not readable")
    }

    /// Reads the entries of the header, sorted by their place.
    private static func readEntries(
        _ entries: [(key: String, value: JSONValue)], file: String, dataStart: Int
    ) throws(CheckpointError) -> [Entry] {
        var tensors: [Entry] = []
        var names: Set<String> = []
        for (name, value) in entries where name != "__metadata__" {
            let fields = ConfigFields(file: file, path: "tensor `\(printable(name))`", value: value)
            guard let fields, names.insert(name).inserted else {
                throw .malformed(file: file, place: "tensor `\(printable(name))`", reason: "duplicate, or no object")
            }
            tensors.append(try readEntry(name, fields, file: file, dataStart: dataStart))
        }
        return tensors.sorted { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
    }

    /// Reads one entry: `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`.
    private static func readEntry(
        _ name: String, _ fields: ConfigFields, file: String, dataStart: Int
    ) throws(CheckpointError) -> Entry {
        let place = "tensor `\(printable(name))`"
        guard let dtype = try fields.string("dtype") else {
            throw .malformed(file: file, place: place, reason: "the dtype is absent")
        }
        let type = WeightType(safetensors: dtype)
        guard let shape = try fields.integers("shape", in: 0...(1 << 48)), shape.count <= 8,
            let elements = checkedElementCount(shape), let byteCount = (type ?? .uint8).byteCount(elements: elements)
        else {
            throw .malformed(file: file, place: place, reason: "the shape is absent or impossible")
        }
        guard let ends = try fields.integers("data_offsets", in: 0...(1 << 60)), ends.count == 2, ends[0] <= ends[1],
            type == nil || ends[1] - ends[0] == byteCount
        else {
            let reason = "the data offsets are absent or do not span the \(byteCount) bytes of \(dtype) \(shape)"
            throw .malformed(file: file, place: place, reason: reason)
        }
        let (offset, length) = (dataStart + ends[0], ends[1] - ends[0])
        let readable = type.map { type in
            SafetensorsTensor(
                info: TensorInfo(name: name, shape: shape, type: type, file: file), offset: offset, byteCount: length)
        }
        return Entry(name: name, dtype: dtype, offset: offset, byteCount: length, readable: readable)
    }

    /// The data must be covered exactly: no hole, no overlap, nothing behind the last tensor.
    private static func checkCoverage(
        _ tensors: [Entry], file: String, dataStart: Int, fileCount: Int
    ) throws(CheckpointError) {
        var end = dataStart
        for tensor in tensors {
            let place = "tensor `\(printable(tensor.name))`"
            guard tensor.offset == end else {
                let relation = tensor.offset < end ? "overlaps the data before it" : "leaves a hole before it"
                throw .malformed(file: file, place: place, reason: relation)
            }
            end += tensor.byteCount
            guard end <= fileCount else {
                let reason = "its data end at byte \(end) of a file of \(fileCount) (incomplete download?)"
                throw .malformed(file: file, place: place, reason: reason)
            }
        }
        guard end == fileCount else {
            throw .malformed(file: file, place: "byte \(end)", reason: "\(fileCount - end) bytes belong to no tensor")
        }
    }
}
