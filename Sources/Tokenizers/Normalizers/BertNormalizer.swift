/// The normalizer of BERT (Devlin et al., arXiv:1810.04805, `tokenization.py`).
struct BertNormalizer: Sendable {
    /// Removes control characters and makes every kind of white space a space.
    let cleansText: Bool
    /// Puts spaces around CJK ideographs.
    let isolatesIdeographs: Bool
    let stripsAccents: Bool
    let lowercases: Bool

    func apply(to text: inout [UInt8]) {
        if cleansText {
            Normalizer.filterMap(&text) { code in
                if code == 0 || code == 0xFFFD || CharacterClass.isControl(code) { return nil }
                return CharacterClass.isWhitespace(code) ? 0x20 : code
            }
        }
        if isolatesIdeographs { Self.isolateIdeographs(&text) }
        if stripsAccents {
            UnicodeForm.nfd.apply(to: &text)
            Normalizer.filterMap(&text) { CharacterClass.isNonspacingMark($0) ? nil : $0 }
        }
        if lowercases { Normalizer.lowercase(&text) }
    }

    private static func isolateIdeographs(_ text: inout [UInt8]) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { buffer in
            var at = 0
            while at < buffer.count {
                let (code, length) = scalar(in: buffer, at: at)
                at += length
                if isIdeograph(code) {
                    result.append(0x20)
                    appendUTF8(code, to: &result)
                    result.append(0x20)
                } else {
                    appendUTF8(code, to: &result)
                }
            }
        }
        text = result
    }

    private static func isIdeograph(_ code: UInt32) -> Bool {
        switch code {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
