/// Where the files inside a zip archive lie that are stored as they are, as `torch.save` writes them.
///
/// Only the directory at the archive's end is read; every length in it is checked against the archive.
struct ZipIndex {
    /// The bytes of each file by its name.
    private(set) var entries: [String: Range<Int>] = [:]

    /// Lengths of the records before the names that they end with.
    private enum Head {
        static let end = 22
        static let directory = 46
        static let local = 30
    }

    /// The most that an archive's end may say about itself.
    private static let commentLimit = 65_535

    /// Reads the directory of an archive.
    init(file: String, bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        let end = try Self.end(file: file, bytes: bytes)
        var reader = ByteReader(file: file, bytes: bytes, offset: end)
        try reader.skip(10, "the archive's end")
        let count = try reader.integer(UInt16.self, "the archive's end")
        try reader.skip(4, "the archive's end")
        let start = Int(try reader.integer(UInt32.self, "the archive's end"))
        guard start <= end else { throw reader.malformed(at: end, "the archive's directory lies behind its end") }
        reader = ByteReader(file: file, bytes: bytes, offset: start)
        for _ in 0..<count { try readEntry(&reader) }
    }

    private static func end(file: String, bytes: UnsafeRawBufferPointer) throws(CheckpointError) -> Int {
        let first = max(0, bytes.count - Head.end - commentLimit)
        var offset = bytes.count - Head.end
        while offset >= first {
            if bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == UInt32(littleEndian: 0x0605_4B50) {
                return offset
            }
            offset -= 1
        }
        throw .malformed(file: file, place: "the last bytes", reason: "is no zip archive (incomplete download?)")
    }

    private mutating func readEntry(_ reader: inout ByteReader) throws(CheckpointError) {
        let start = reader.offset
        let what = "the archive's directory"
        guard try reader.integer(UInt32.self, what) == 0x0201_4B50 else {
            throw reader.malformed(at: start, "no entry of the archive's directory")
        }
        try reader.skip(6, what)
        let method = try reader.integer(UInt16.self, what)
        try reader.skip(8, what)
        let stored = try reader.integer(UInt32.self, what)
        let size = try reader.integer(UInt32.self, what)
        let nameLength = Int(try reader.integer(UInt16.self, what))
        let rest = Int(try reader.integer(UInt16.self, what)) + Int(try reader.integer(UInt16.self, what))
        try reader.skip(8, what)
        let place = try reader.integer(UInt32.self, what)
        let nameStart = reader.offset
        try reader.skip(nameLength, what)
        let name = String(
            decoding: UnsafeRawBufferPointer(rebasing: reader.bytes[nameStart..<reader.offset]), as: UTF8.self)
        try reader.skip(rest, what)
        guard method == 0, stored == size, place != .max, size != .max else {
            throw .unsupported(
                file: reader.file, place: "entry `\(printable(name))`", reason: "is compressed, or larger than 4 GiB")
        }
        entries[name] = try Self.data(at: Int(place), count: Int(size), reader)
    }

    /// Where the bytes of a file begin whose own head stands at `place`.
    private static func data(at place: Int, count: Int, _ directory: ByteReader) throws(CheckpointError) -> Range<Int> {
        guard place <= directory.bytes.count else { throw directory.truncated("a file of the archive") }
        var reader = ByteReader(file: directory.file, bytes: directory.bytes, offset: place)
        guard try reader.integer(UInt32.self, "a file of the archive") == 0x0403_4B50 else {
            throw reader.malformed(at: place, "no file of the archive")
        }
        try reader.skip(Head.local - 8, "a file of the archive")
        let names = Int(try reader.integer(UInt16.self, "a file of the archive"))
        try reader.skip(names + Int(try reader.integer(UInt16.self, "a file of the archive")), "a file of the archive")
        let start = reader.offset
        try reader.skip(count, "a file of the archive")
        return start..<reader.offset
    }
}
