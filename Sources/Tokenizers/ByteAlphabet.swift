/// The 256 printable characters by which byte-level vocabularies spell bytes (GPT-2's `bytes_to_unicode`): printable
/// Latin-1 stands for itself, the other 68 bytes are U+0100 and up in their order.
enum ByteAlphabet {
    /// Character of each byte.
    private static let codes: [UInt16] = {
        var next: UInt16 = 0x100
        return (0..<256).map { byte in
            if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte) {
                return UInt16(byte)
            }
            next += 1
            return next - 1
        }
    }()

    /// Byte of each character below U+0144, -1 for characters outside of the alphabet.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, code) in codes.enumerated() { bytes[Int(code)] = Int16(byte) }
        return bytes
    }()

    /// The spelling of some bytes, in UTF-8.
    static func spelled(_ text: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        append(text, to: &result)
        return result
    }

    /// Appends the spelling of some bytes.
    static func append(_ text: some Sequence<UInt8>, to result: inout [UInt8]) {
        let codes = codes
        for byte in text {
            let code = codes[Int(byte)]
            if code < 0x80 {
                result.append(UInt8(code))
            } else {
                result.append(UInt8(0xC0 | code >> 6))
                result.append(UInt8(0x80 | code & 0x3F))
            }
        }
    }

    /// The bytes that a token spells; a token with any character outside of the alphabet stands for its own UTF-8.
    static func bytes(of token: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(token.count)
        let isSpelling = token.withUnsafeBufferPointer { buffer in
            var at = 0
            while at < buffer.count {
                let (code, length) = scalar(in: buffer, at: at)
                guard code < 0x144, bytes[Int(code)] >= 0 else { return false }
                result.append(UInt8(bytes[Int(code)]))
                at += length
            }
            return true
        }
        return isSpelling ? result : Array(token)
    }
}
