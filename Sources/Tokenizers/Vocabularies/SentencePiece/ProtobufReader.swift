/// Reads the fields of one message in Protocol Buffers' wire format.
struct ProtobufReader {
    /// What a field holds.
    enum Value {
        case varint(UInt64)
        case fixed32(UInt32)
        /// A number that no field read here has.
        case fixed64
        /// The place of a text, bytes or a message.
        case bytes(Range<Int>)
    }

    /// The bytes are no such message from this place on.
    struct Fault: Error {
        let reason: String
    }

    private let bytes: [UInt8]
    private var at: Int
    private let end: Int

    /// A reader of the message that some of the bytes are.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
    }

    /// The next field and its number; nil at the end.
    mutating func next() throws(Fault) -> (number: Int, value: Value)? {
        guard at < end else { return nil }
        let start = at
        let key = try varint()
        guard let number = Int(exactly: key >> 3), number > 0, number < 1 << 29 else {
            throw Fault(reason: "no field begins at byte \(start)")
        }
        switch key & 7 {
        case 0: return (number, .varint(try varint()))
        case 1:
            _ = try take(8)
            return (number, .fixed64)
        case 2:
            let length = try varint()
            guard length <= UInt64(end - at) else { throw Fault(reason: "ends inside the field at byte \(start)") }
            return (number, .bytes(try take(Int(length))))
        case 5:
            let range = try take(4)
            return (number, .fixed32(range.reversed().reduce(0) { $0 << 8 | UInt32(bytes[$1]) }))
        default: throw Fault(reason: "no field begins at byte \(start)")
        }
    }

    private mutating func take(_ count: Int) throws(Fault) -> Range<Int> {
        guard count <= end - at else { throw Fault(reason: "ends inside the field at byte \(at)") }
        defer { at += count }
        return at..<at + count
    }

    private mutating func varint() throws(Fault) -> UInt64 {
        let start = at
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard at < end else { throw Fault(reason: "ends inside the number at byte \(start)") }
            let byte = bytes[at]
            at += 1
            if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
            if byte & 0x80 == 0 { return value }
        }
        throw Fault(reason: "no number begins at byte \(start)")
    }
}
