internal import CUtf8proc

/// A Unicode normalization form (UAX 15), of Unicode 10 as in the reference: later characters stay as they are.
enum UnicodeForm: Sendable {
    case nfc, nfd, nfkc, nfkd

    private var isCompatible: Bool { self == .nfkc || self == .nfkd }
    private var isComposed: Bool { self == .nfc || self == .nfkc }

    /// Normalizes well-formed UTF-8 in place.
    func apply(to text: inout [UInt8]) {
        if isNormalized(text) { return }
        var codes = decomposed(text)
        Self.sortMarks(&codes)
        var count = codes.count
        if isComposed {
            let options = utf8proc_option_t(UTF8PROC_COMPOSE.rawValue | UTF8PROC_STABLE.rawValue)
            count = codes.withUnsafeMutableBufferPointer { buffer in
                max(utf8proc_normalize_utf32(buffer.baseAddress, buffer.count, options), 0)
            }
        }
        text.removeAll(keepingCapacity: true)
        for code in codes[..<count] { appendUTF8(UInt32(bitPattern: code), to: &text) }
    }

    /// A quick answer for text that cannot change: ASCII in every form, everything below the combining marks in NFC.
    private func isNormalized(_ text: [UInt8]) -> Bool {
        // 0xCC leads U+0300, the first combining mark; 0xCB and below are Latin letters that NFC leaves alone.
        let limit: UInt8 = self == .nfc ? 0xCC : 0x80
        return text.allSatisfy { $0 < limit }
    }

    private func decomposed(_ text: [UInt8]) -> [Int32] {
        let options =
            UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_STABLE.rawValue | (isCompatible ? UTF8PROC_COMPAT.rawValue : 0)
        var codes: [Int32] = []
        codes.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { buffer in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: 64) { pieces in
                var boundary: Int32 = 0
                var at = 0
                while at < buffer.count {
                    let (code, length) = scalar(in: buffer, at: at)
                    at += length
                    if code < 0x80 {
                        codes.append(Int32(code))
                        continue
                    }
                    // The longest decomposition has 18 scalars.
                    let count = utf8proc_decompose_char(
                        Int32(bitPattern: code), pieces.baseAddress, pieces.count, utf8proc_option_t(options), &boundary
                    )
                    let changes = count != 1 || pieces[0] != Int32(bitPattern: code)
                    if changes, (1...pieces.count).contains(count), CharacterClass.exists(code, inUnicode: 10) {
                        codes.append(contentsOf: pieces[..<count])
                    } else {
                        codes.append(Int32(bitPattern: code))
                    }
                }
            }
        }
        return codes
    }

    /// Puts each run of combining marks into canonical order. utf8proc's own sort takes quadratic time, which a long
    /// run in a request could abuse.
    private static func sortMarks(_ codes: inout [Int32]) {
        var at = 0
        while at < codes.count {
            if combiningClass(codes[at]) == 0 {
                at += 1
                continue
            }
            var end = at + 1
            while end < codes.count, combiningClass(codes[end]) != 0 { end += 1 }
            if end - at > 1 {
                // The offset makes the order stable.
                let sorted = codes[at..<end].enumerated()
                    .map { (key: Int(combiningClass($1)) << 32 | $0, code: $1) }
                    .sorted { $0.key < $1.key }
                for (offset, mark) in sorted.enumerated() { codes[at + offset] = mark.code }
            }
            at = end
        }
    }

    private static func combiningClass(_ code: Int32) -> utf8proc_propval_t {
        if code < 0x300 { return 0 }
        let value = utf8proc_get_property(code).pointee.combining_class
        return value == 0 || CharacterClass.exists(UInt32(bitPattern: code), inUnicode: 10) ? value : 0
    }
}
