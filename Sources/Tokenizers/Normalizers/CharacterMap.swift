internal import JSON

/// SentencePiece's table of replacements (`precompiled_charsmap`): a double-array trie of what is replaced, as Darts-clone lays
/// it out, and the replacements behind it.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    /// Replacements in UTF-8, each ended by a zero.
    private let replacements: [UInt8]
    /// Replacements of the characters of ASCII, nil for those that stay.
    private var ascii = [[UInt8]?](repeating: nil, count: 128)

    /// Clusters of as many bytes or more are not looked up as a whole.
    private static let longestCluster = 5

    /// Reads the bytes of a table: the size of the trie in bytes (32 bits), the trie, the replacements.
    /// - Returns: nil where the bytes are no such table.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let words = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
        }
        let size = Int(words[0])
        guard size % 4 == 0, size > 0, size <= bytes.count - 4 else { return nil }
        units = Array(words[1...(size / 4)])
        replacements = Array(bytes[(4 + size)...])
        if String(validating: replacements, as: UTF8.self) == nil { return nil }
        for code in UInt8(0)..<128 { ascii[Int(code)] = replacement(of: [code]).map(Array.init) }
    }

    /// Replaces what the table knows, cluster by cluster; what is long, or unknown as a whole, scalar by scalar.
    func apply(to text: inout [UInt8]) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { bytes in
            var at = 0
            while at < bytes.count {
                if Self.endsCluster(bytes, at: at) {
                    if let known = ascii[Int(bytes[at])] { result += known } else { result.append(bytes[at]) }
                    at += 1
                    continue
                }
                let start = at
                while !Self.endsCluster(bytes, at: at) { at += 1 }
                at += 1
                replaceClusters(of: String(decoding: bytes[start..<at], as: UTF8.self), &result)
            }
        }
        text = result
    }

    /// Whether a byte is an ASCII character with another one or nothing behind it: no cluster goes on there. Nor does one begin
    /// before it, where the byte before it ends one.
    private static func endsCluster(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        guard index + 1 < bytes.count else { return true }
        return bytes[index] < 0x80 && bytes[index + 1] < 0x80 && !(bytes[index] == 0x0D && bytes[index + 1] == 0x0A)
    }

    private func replaceClusters(of text: String, _ result: inout [UInt8]) {
        for cluster in text {
            let bytes = cluster.utf8
            if bytes.count <= Self.longestCluster, let known = replacement(of: bytes) {
                result += known
                continue
            }
            for scalar in cluster.unicodeScalars {
                let character = Character(scalar).utf8
                if let known = replacement(of: character) { result += known } else { result += character }
            }
        }
    }

    /// The replacement of the shortest entry that the bytes begin with.
    private func replacement(of bytes: some Sequence<UInt8>) -> ArraySlice<UInt8>? {
        var position = Self.offset(units[0])
        for byte in bytes {
            if byte == 0 { return nil }
            position ^= Int(byte)
            guard let unit = unit(position), Self.label(unit) == UInt32(byte) else { return nil }
            position ^= Self.offset(unit)
            if Self.hasValue(unit) {
                guard let value = self.unit(position) else { return nil }
                return replacement(at: Int(value & 0x7FFF_FFFF))
            }
        }
        return nil
    }

    private func replacement(at start: Int) -> ArraySlice<UInt8>? {
        guard replacements.indices.contains(start), replacements[start] & 0xC0 != 0x80 else { return nil }
        let end = replacements[start...].firstIndex(of: 0) ?? replacements.endIndex
        return replacements[start..<end]
    }

    private func unit(_ position: Int) -> UInt32? { units.indices.contains(position) ? units[position] : nil }

    // Fields of a unit.
    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
    private static func label(_ unit: UInt32) -> UInt32 { unit & (1 << 31 | 0xFF) }
    private static func hasValue(_ unit: UInt32) -> Bool { unit >> 8 & 1 == 1 }
}

/// Base64 (RFC 4648).
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text of bytes.
    static func text(of bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let digit = digits[Int(bits >> UInt32(18 - 6 * place) & 0x3F)]
                result.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes of a text; nil where it is not base64.
    static func bytes(of text: String) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 {
            let value: UInt32
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(character) - 0x41
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(character) - 0x61 + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(character) - 0x30 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="): continue
            default: return nil
            }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
