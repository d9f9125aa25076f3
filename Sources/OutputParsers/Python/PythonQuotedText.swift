/// A text in quotes as Python's source writes it, in one or three quotes, raw or with escapes.
struct PythonQuotedText {
    /// What the text says.
    private(set) var bytes: [UInt8] = []
    /// Where the source goes on.
    private(set) var end: Int

    private let source: [UInt8]

    /// Reads the text that begins at a place; nil where none does, or one that is broken or says bytes.
    init?(_ source: [UInt8], at place: Int) {
        self.source = source
        end = place
        var isRaw = false
        while end < source.count, end < place + 2, source[end].isPrefix {
            if source[end] | 0x20 == UInt8(ascii: "r") { isRaw = true }
            end += 1
        }
        guard let quote = byte, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        let isTriple = source[end...].starts(with: [quote, quote, quote])
        let marks = [UInt8](repeating: quote, count: isTriple ? 3 : 1)
        end += marks.count
        guard read(until: marks, isRaw: isRaw) else { return nil }
    }

    private var byte: UInt8? { end < source.count ? source[end] : nil }

    private mutating func read(until marks: [UInt8], isRaw: Bool) -> Bool {
        while let byte {
            if byte == marks[0], source[end...].starts(with: marks) {
                end += marks.count
                return true
            }
            if byte == 0x0A, marks.count == 1 { return false }
            end += 1
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let next = self.byte else { return false }
            if isRaw {
                bytes += [byte, next]
                end += 1
            } else if !escape(next) {
                return false
            }
        }
        return false
    }

    /// Reads what stands behind a backslash.
    private mutating func escape(_ byte: UInt8) -> Bool {
        end += 1
        switch byte {
        case 0x0A: break
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(byte)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "a"): bytes.append(0x07)
        case UInt8(ascii: "v"): bytes.append(0x0B)
        case UInt8(ascii: "x"): return scalar(digits: 2)
        case UInt8(ascii: "u"): return scalar(digits: 4)
        case UInt8(ascii: "U"): return scalar(digits: 8)
        case UInt8(ascii: "N"): return false
        case 0x30...0x37: octal(byte)
        default: bytes += [UInt8(ascii: "\\"), byte]
        }
        return true
    }

    private mutating func scalar(digits: Int) -> Bool {
        guard end + digits <= source.count,
            let value = UInt32(String(decoding: source[end..<end + digits], as: UTF8.self), radix: 16),
            value <= 0x10FFFF
        else { return false }
        end += digits
        append(value)
        return true
    }

    private mutating func octal(_ first: UInt8) {
        var value = UInt32(first - 0x30)
        var count = 1
        while count < 3, let byte, 0x30...0x37 ~= byte {
            value = value * 8 + UInt32(byte - 0x30)
            end += 1
            count += 1
        }
        append(value)
    }

    private mutating func append(_ value: UInt32) {
        bytes += Array(String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
    }
}

extension UInt8 {
    /// Whether this may stand in front of a quote: raw texts and those of old Python; bytes and templates are no texts.
    fileprivate var isPrefix: Bool { self | 0x20 == UInt8(ascii: "r") || self | 0x20 == UInt8(ascii: "u") }
}
