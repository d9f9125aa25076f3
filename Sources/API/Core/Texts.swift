extension StringProtocol {
    /// The text without what its ends hold too much.
    package func trimming(while isSuperfluous: (Character) -> Bool) -> String {
        let head = drop(while: isSuperfluous)
        return String(head.reversed().drop(while: isSuperfluous).reversed())
    }

    /// The text with `%XX` replaced by the bytes they stand for.
    package var percentDecoded: String {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                rest = rest.dropFirst(2)
                bytes.append(UInt8(digits[0] << 4 | digits[1]))
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
