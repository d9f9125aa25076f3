/// The tokens `<0x00>` … `<0xFF>` of vocabularies that spell in bytes what they have no token for.
enum ByteTokens {
    /// Ids by byte, -1 for none.
    static func ids(in vocabulary: Vocabulary) -> [Int32] {
        let digits = Array("0123456789ABCDEF".utf8)
        return (0..<256).map { byte in
            vocabulary.id(of: Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15], UInt8(ascii: ">")]) ?? -1
        }
    }

    /// The byte that a token stands for.
    static func byte(of token: some Collection<UInt8>) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), Array(token)[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token.dropFirst(3).prefix(2), as: UTF8.self), radix: 16)
    }
}
