/// The bytes behind an opening quote of JSON, read one by one: what they say, up to the closing quote.
struct QuotedText: Sendable {
    /// What came of a byte.
    enum Progress: Sendable {
        case more, done, failed
    }

    private enum Expected: Sendable {
        case plain, escape
        case hex(UInt32, digits: Int)
    }

    /// What the text says so far.
    private(set) var bytes: [UInt8] = []
    private var expected = Expected.plain
    private var highSurrogate: UInt32?

    /// Takes what the text says so far.
    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    mutating func feed(_ byte: UInt8) -> Progress {
        switch expected {
        case .plain: return plain(byte)
        case .escape: return escaped(byte)
        case .hex(let unit, let digits):
            guard let digit = byte.hexValue else { return .failed }
            let unit = unit << 4 | UInt32(digit)
            expected = .hex(unit, digits: digits + 1)
            if digits == 3 { end(unit) }
            return .more
        }
    }

    private mutating func plain(_ byte: UInt8) -> Progress {
        if byte == UInt8(ascii: "\\") {
            expected = .escape
            return .more
        }
        endPair()
        if byte == UInt8(ascii: "\"") { return .done }
        if byte < 0x20 { return .failed }
        bytes.append(byte)
        return .more
    }

    private mutating func escaped(_ byte: UInt8) -> Progress {
        if byte == UInt8(ascii: "u") {
            expected = .hex(0, digits: 0)
            return .more
        }
        endPair()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        default: return .failed
        }
        expected = .plain
        return .more
    }

    private mutating func end(_ unit: UInt32) {
        expected = .plain
        if let high = highSurrogate, 0xDC00...0xDFFF ~= unit {
            highSurrogate = nil
            append(0x10000 + (high - 0xD800) << 10 + (unit - 0xDC00))
            return
        }
        endPair()
        if 0xD800...0xDBFF ~= unit { highSurrogate = unit } else { append(unit) }
    }

    /// Puts the sign for a broken character where the first half of a pair stood alone.
    private mutating func endPair() {
        if highSurrogate != nil { append(0xFFFD) }
        highSurrogate = nil
    }

    private mutating func append(_ scalar: UInt32) {
        bytes += Array(String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit; nil for any other byte.
    var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}
