/// Numbers as Python's source writes them, and as `int` and `float` read them.
enum PythonNumber {
    /// A number of Python's source without a sign; nil where the text is none that JSON can say.
    static func value(of source: String) -> PythonValue? {
        let lower = source.lowercased()
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where lower.utf8.starts(with: prefix.utf8) {
            guard let digits = withoutUnderscores(String(lower.dropFirst(2)).trimmingOneUnderscore) else { return nil }
            return UInt64(digits, radix: radix).map { .integer(String($0)) }
        }
        guard let digits = withoutUnderscores(source) else { return nil }
        if digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
            guard digits.utf8.first != 0x30 || digits.utf8.allSatisfy({ $0 == 0x30 }) else { return nil }
            return integer(digits)
        }
        return float(digits).map(PythonValue.float)
    }

    /// What `int(text)` gives.
    static func integer(_ text: String) -> PythonValue? {
        var digits = Substring(text.stripped)
        let isNegative = digits.utf8.first == UInt8(ascii: "-")
        if isNegative || digits.utf8.first == UInt8(ascii: "+") { digits.removeFirst() }
        guard let plain = withoutUnderscores(String(digits)), !plain.utf8.isEmpty,
            plain.utf8.allSatisfy({ 0x30...0x39 ~= $0 })
        else { return nil }
        let short = String(decoding: plain.utf8.drop { $0 == 0x30 }, as: UTF8.self)
        return .integer(short.utf8.isEmpty ? "0" : isNegative ? "-" + short : short)
    }

    /// What `float(text)` gives.
    static func float(_ text: String) -> Double? {
        guard let plain = withoutUnderscores(text.stripped) else { return nil }
        switch plain.lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan", "+nan", "-nan": return .nan
        default: break
        }
        guard plain.utf8.allSatisfy({ 0x30...0x39 ~= $0 || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }),
            plain.utf8.contains(where: { 0x30...0x39 ~= $0 })
        else { return nil }
        // Swift wants digits on both sides of a point, Python on one.
        var text = plain
        if let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) {
            let next = text.utf8.index(after: point)
            if next == text.utf8.endIndex || !(0x30...0x39 ~= text.utf8[next]) { text.insert("0", at: next) }
            if point == text.utf8.startIndex || !(0x30...0x39 ~= text.utf8[text.utf8.index(before: point)]) {
                text.insert("0", at: point)
            }
        }
        return Double(text)
    }

    /// Digits without the underscores that may stand between two of them; nil where one stands elsewhere.
    private static func withoutUnderscores(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "_")) else { return text }
        let bytes = Array(text.utf8)
        for (place, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard place > 0, place + 1 < bytes.count, bytes[place - 1].isHexDigit, bytes[place + 1].isHexDigit
            else { return nil }
        }
        return String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }
}

extension String {
    /// The text without an underscore at its front, which may stand behind the prefix of a radix.
    fileprivate var trimmingOneUnderscore: String { utf8.first == UInt8(ascii: "_") ? String(dropFirst()) : self }
}

extension UInt8 {
    /// Whether this is a hexadecimal digit.
    var isHexDigit: Bool { hexValue != nil }
}
