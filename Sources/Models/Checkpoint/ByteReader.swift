/// Reads little-endian values one after another from a mapped file; every read is checked against the end.
///
/// What is read is named for errors only, so the names are not made before there is one: a vocabulary has 100,000 strings.
struct ByteReader {
    /// Name of the file, for errors.
    let file: String
    /// The bytes of the file.
    let bytes: UnsafeRawBufferPointer
    /// Position of the next read.
    private(set) var offset: Int

    /// Starts at `offset`, which must lie inside `bytes`.
    init(file: String, bytes: UnsafeRawBufferPointer, offset: Int = 0) {
        precondition(offset >= 0 && offset <= bytes.count)
        self.file = file
        self.bytes = bytes
        self.offset = offset
    }

    /// Bytes that are left.
    var remaining: Int { bytes.count - offset }

    /// Reads one little-endian integer; `what` names it in the error.
    mutating func integer<T: FixedWidthInteger>(_ type: T.Type, _ what: @autoclosure () -> String)
        throws(CheckpointError) -> T
    {
        guard remaining >= MemoryLayout<T>.size else { throw truncated(what()) }
        defer { offset += MemoryLayout<T>.size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// Reads a 64-bit count and checks that so many items of at least `itemSize` bytes can still follow.
    mutating func count(_ what: @autoclosure () -> String, itemSize: Int) throws(CheckpointError) -> Int {
        let start = offset
        let raw = try integer(UInt64.self, what())
        guard raw <= UInt64(remaining / itemSize) else {
            throw malformed(at: start, "\(what()) of \(raw) does not fit into the \(remaining) bytes that follow")
        }
        return Int(raw)
    }

    /// Reads a string: 64-bit length, then UTF-8.
    mutating func string(_ what: @autoclosure () -> String) throws(CheckpointError) -> String {
        let length = try count("length of \(what())", itemSize: 1)
        let start = offset
        offset += length
        let text = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
        guard let result = String(validating: text, as: UTF8.self) else {
            throw malformed(at: start, "\(what()) is not UTF-8")
        }
        return result
    }

    /// Steps over a string without building it; returns where it began.
    @discardableResult
    mutating func skipString(_ what: @autoclosure () -> String) throws(CheckpointError) -> Int {
        let start = offset
        let length = try count("length of \(what())", itemSize: 1)
        offset += length
        return start
    }

    /// Steps over `count` bytes.
    mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws(CheckpointError) {
        guard count >= 0, count <= remaining else { throw truncated(what()) }
        offset += count
    }

    /// The error of a file that ends inside `what`.
    func truncated(_ what: String) -> CheckpointError {
        malformed(at: offset, "the file ends inside \(what)")
    }

    /// An error at a byte offset of this file.
    func malformed(at offset: Int, _ reason: String) -> CheckpointError {
        .malformed(file: file, place: "byte \(offset)", reason: reason)
    }
}
