private import Glibc

/// Numbers as Python reads and writes them.
enum PythonNumber {
    /// Python's `repr` of a float.
    static func text(of value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        // Swift turns to exponents at 2^53, Python at 1e16.
        if value.magnitude >= 0x1p53, value.magnitude < 1e16 { return "\(Int(value)).0" }
        return value.description
    }

    /// A float by a conversion of `printf`, which rounds as Python does.
    static func print(_ value: Double, precision: Int, conversion: String) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        var buffer = [CChar](repeating: 0, count: 512)
        let length = unsafe withVaList([Int32(precision), value]) { list in
            unsafe vsnprintf(&buffer, buffer.count, "%.*\(conversion)", list)
        }
        let bytes = buffer.prefix(min(max(0, Int(length)), buffer.count - 1)).map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Python's `round(value, precision)`, which rounds the decimal number that the float is.
    static func rounded(_ value: Double, _ precision: Int) -> Double {
        guard value.isFinite, precision < 20, value.magnitude < 1e17 else { return value }
        return Double(print(value, precision: precision, conversion: "f")) ?? value
    }

    /// Python's `float(text)`.
    static func float(from text: String) -> Double? {
        let text = PythonText.strip(text, nil)
        let bytes = Array(text.utf8)
        let isDecimal = bytes.allSatisfy { (48...57).contains($0) || "+-.eE_".utf8.contains($0) }
        guard isDecimal else {
            switch PythonText.lower(text) {
            case "inf", "+inf", "infinity", "+infinity": return .infinity
            case "-inf", "-infinity": return -.infinity
            case "nan", "+nan", "-nan": return .nan
            default: return nil
            }
        }
        guard let digits = withoutUnderscores(bytes) else { return nil }
        // Swift wants digits on both sides of the point.
        var plain = digits.hasSuffix(".") ? digits + "0" : digits
        plain = PythonText.replace(PythonText.replace(plain, ".e", ".0e"), ".E", ".0E")
        if plain.hasPrefix(".") { plain = "0" + plain }
        if plain.hasPrefix("-.") || plain.hasPrefix("+.") { plain = plain.prefix(1) + "0" + plain.dropFirst() }
        return digits == "." || digits.isEmpty ? nil : Double(plain)
    }

    /// Digits without underscores, which may stand only between two digits.
    private static func withoutUnderscores(_ bytes: [UInt8]) -> String? {
        let isDigit = { (place: Int) in
            bytes.indices.contains(place) && Character(Unicode.Scalar(bytes[place])).isHexDigit
        }
        for (place, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard isDigit(place - 1), isDigit(place + 1) else { return nil }
        }
        return String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// Jinja's `int` filter; nil where the default is to be taken.
    static func integer(from value: Value, base: Int) throws(TemplateError) -> Value? {
        switch value {
        case .undefined(let reason): throw .runtime(reason)
        case .int, .wide: return value
        case .bool(let flag): return .int(flag ? 1 : 0)
        case .float(let number): return try whole(number)
        case .string(let text):
            if let number = try integer(from: text, base: base) { return .int(number) }
            guard let number = float(from: text) else { return nil }
            return try whole(number)
        default: return nil
        }
    }

    private static func whole(_ number: Double) throws(TemplateError) -> Value? {
        guard number.isFinite else { return nil }
        guard let whole = Int(exactly: number.rounded(.towardZero)) else { throw .runtime("an integer beyond 64 bits") }
        return .int(whole)
    }

    private static func integer(from text: String, base: Int) throws(TemplateError) -> Int? {
        guard (2...36).contains(base) else { return nil }
        var bytes = Array(PythonText.strip(text, nil).utf8)
        guard let first = bytes.first else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        if isNegative || first == UInt8(ascii: "+") { bytes.removeFirst() }
        let marks: [Int: Character] = [2: "b", 8: "o", 16: "x"]
        if let mark = marks[base], bytes.count > 2, bytes[0] == UInt8(ascii: "0"),
            Character(Unicode.Scalar(bytes[1])).lowercased() == String(mark)
        {
            bytes.removeFirst(2)
            if bytes.first == UInt8(ascii: "_") { bytes.removeFirst() }
        }
        guard let digits = withoutUnderscores(bytes), let head = digits.utf8.first, head != 43, head != 45 else {
            return nil
        }
        if let number = Int((isNegative ? "-" : "") + digits, radix: base) { return number }
        let isNumber = digits.utf8.allSatisfy { Int(String(UnicodeScalar($0)), radix: base) != nil }
        if isNumber { throw .runtime("an integer beyond 64 bits") }
        return nil
    }
}
