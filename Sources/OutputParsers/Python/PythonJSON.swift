/// How Python's `json` writes the leaves of a text.
enum PythonJSON {
    /// A text in quotes, everything but quotes, backslashes and control characters as it is.
    static func quote(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { escape(byte, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// One byte of a text in quotes.
    static func escape(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes += Array("\\\"".utf8)
        case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
        case 0x0A: bytes += Array("\\n".utf8)
        case 0x0D: bytes += Array("\\r".utf8)
        case 0x09: bytes += Array("\\t".utf8)
        case 0x08: bytes += Array("\\b".utf8)
        case 0x0C: bytes += Array("\\f".utf8)
        case 0..<0x20:
            bytes += Array("\\u00".utf8)
            for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
        default: bytes.append(byte)
        }
    }

    /// A float as `repr` writes it.
    static func text(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        // Swift turns to exponents at 2^53, Python at 1e16; both write the shortest digits that read back equal.
        if number.magnitude >= 0x1p53, number.magnitude < 1e16 { return "\(Int64(number)).0" }
        let text = number.description
        guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "e")) else { return text }
        var mantissa = String(text[..<mark])
        if mantissa.utf8.suffix(2).elementsEqual(".0".utf8) { mantissa.removeLast(2) }
        var exponent = String(text[text.utf8.index(after: mark)...])
        let sign = exponent.utf8.first == UInt8(ascii: "-") ? "-" : "+"
        if exponent.utf8.first == UInt8(ascii: "-") || exponent.utf8.first == UInt8(ascii: "+") {
            exponent.removeFirst()
        }
        if exponent.utf8.count < 2 { exponent = "0" + exponent }
        return mantissa + "e" + sign + exponent
    }

    /// A number as it stands in a JSON text, as Python reads it; nil where it is none.
    static func number(_ digits: String) -> PythonValue? {
        var rest = digits.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        let whole = rest.prefix { 0x30...0x39 ~= $0 }
        guard !whole.isEmpty, whole.count == 1 || whole.first != 0x30 else { return nil }
        rest = rest[whole.endIndex...]
        if rest.isEmpty {
            let text = String(decoding: whole, as: UTF8.self)
            return .integer(isNegative && text != "0" ? "-" + text : text)
        }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let part = rest.prefix { 0x30...0x39 ~= $0 }
            guard !part.isEmpty else { return nil }
            rest = rest[part.endIndex...]
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest.removeFirst() }
            let part = rest.prefix { 0x30...0x39 ~= $0 }
            guard !part.isEmpty else { return nil }
            rest = rest[part.endIndex...]
        }
        guard rest.isEmpty, let number = Double(digits) else { return nil }
        return .float(number)
    }
}
