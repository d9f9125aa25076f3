/// One pass over a JSON text that checks every token, so that json-c is left with nothing but commas, colons and
/// brackets.
///
/// json-c's strict mode accepts NaN and Infinity, single-quoted keys, control characters, lone surrogates, encoded
/// surrogates, numbers such as `-01` and `1.`, and clamps integers; it stops at a NUL byte and cuts keys at a NUL.
/// Each of these is rejected here, but for the numbers that `JSON.Dialect.python` admits.
struct LexicalScanner {
    private let bytes: UnsafeRawBufferPointer
    private let maximumDepth: Int
    private let dialect: JSON.Dialect
    private var at = 0
    private var depth = 0
    /// Offsets of two escapes by `\u` in a row that json-c would take for lone surrogates: it tests the low 16 bits of the whole
    /// scalar.
    private(set) var misreadPairs: [Int] = []

    init(bytes: UnsafeRawBufferPointer, maximumDepth: Int, dialect: JSON.Dialect) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        self.dialect = dialect
    }

    /// Throws at the first token that is not JSON.
    mutating func scan() throws(JSONError) {
        if bytes.count > Int(Int32.max) - 1 {
            throw .syntax(offset: Int(Int32.max) - 1, reason: "text longer than 2 GB")
        }
        var sawToken = false
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09:
                at += 1
                continue
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                at += 1
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                if depth > maximumDepth { throw fail("nested deeper than \(maximumDepth) levels") }
                at += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth = max(depth - 1, 0)
                at += 1
            case UInt8(ascii: "\""):
                try scanString()
            case UInt8(ascii: "-") where dialect == .python && next == UInt8(ascii: "I"): try scanLiteral("-Infinity")
            case UInt8(ascii: "I") where dialect == .python: try scanLiteral("Infinity")
            case UInt8(ascii: "N") where dialect == .python: try scanLiteral("NaN")
            case UInt8(ascii: "-"), 0x30...0x39:
                try scanNumber()
            case UInt8(ascii: "t"): try scanLiteral("true")
            case UInt8(ascii: "f"): try scanLiteral("false")
            case UInt8(ascii: "n"): try scanLiteral("null")
            default:
                throw fail(byte < 0x80 ? "unexpected character" : "unexpected byte outside of a string")
            }
            sawToken = true
        }
        if !sawToken { throw fail("unexpected end of data") }
    }

    /// The byte behind the one here; 0 at the end.
    private var next: UInt8 { at + 1 < bytes.count ? bytes[at + 1] : 0 }

    private func fail(_ reason: String, at offset: Int? = nil) -> JSONError {
        .syntax(offset: offset ?? at, reason: reason)
    }

    private mutating func scanLiteral(_ word: StaticString) throws(JSONError) {
        let start = at
        for index in 0..<word.utf8CodeUnitCount {
            if at == bytes.count { throw fail("unexpected end of data") }
            if bytes[at] != word.utf8Start[index] { throw fail("invalid literal", at: start) }
            at += 1
        }
        if at < bytes.count, Self.continuesWord(bytes[at]) { throw fail("invalid literal", at: start) }
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2B, 0x2D, 0x2E: true
        default: false
        }
    }

    /// Consumes digits and says how many there were.
    private mutating func digits() -> Int {
        let start = at
        while at < bytes.count, bytes[at] &- 0x30 < 10 { at += 1 }
        return at - start
    }

    private mutating func scanNumber() throws(JSONError) {
        let start = at
        let negative = bytes[at] == UInt8(ascii: "-")
        if negative { at += 1 }
        let firstDigit = at
        let whole = digits()
        if whole == 0 { throw fail(at == bytes.count ? "unexpected end of data" : "expected a digit") }
        if whole > 1, bytes[firstDigit] == 0x30 { throw fail("number with a leading zero", at: start) }
        var isInteger = true
        var exponentDigits = 0
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            isInteger = false
            at += 1
            if digits() == 0 {
                throw fail(at == bytes.count ? "unexpected end of data" : "expected a digit after the decimal point")
            }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            exponentDigits = digits()
            if exponentDigits == 0 {
                throw fail(at == bytes.count ? "unexpected end of data" : "expected a digit in the exponent")
            }
        }
        if at < bytes.count, Self.continuesWord(bytes[at]) { throw fail("invalid number", at: start) }
        if isInteger {
            if whole >= 19, dialect == .strict, !Self.fits64Bits(bytes[firstDigit..<at], negative: negative) {
                throw fail("integer beyond 64 bits", at: start)
            }
        } else if dialect == .strict, whole > 300 || exponentDigits > 2, !isFinite(start..<at) {
            throw fail("number beyond the range of a double", at: start)
        }
    }

    private static func fits64Bits(_ digits: Slice<UnsafeRawBufferPointer>, negative: Bool) -> Bool {
        var magnitude: UInt64 = 0
        for digit in digits {
            let (scaled, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(UInt64(digit - 0x30))
            if overflow || carry { return false }
            magnitude = sum
        }
        return !negative || magnitude <= UInt64(Int64.max) + 1
    }

    private func isFinite(_ range: Range<Int>) -> Bool {
        Double(String(decoding: bytes[range], as: UTF8.self))?.isFinite ?? false
    }

    private mutating func scanString() throws(JSONError) {
        let start = at
        var holdsNUL = false
        at += 1
        while true {
            if at >= bytes.count { throw fail("unexpected end of data") }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                if try scanEscape() == 0 { holdsNUL = true }
            } else if byte < 0x20 {
                throw fail("control character in string")
            } else if byte < 0x80 {
                at += 1
            } else {
                at += try utf8Length()
            }
        }
        at += 1
        if holdsNUL {
            var next = at
            while next < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[next]) { next += 1 }
            if next < bytes.count, bytes[next] == UInt8(ascii: ":") { throw fail("NUL in an object key", at: start) }
        }
    }

    /// Consumes an escape, a surrogate pair as one, and returns its scalar value.
    private mutating func scanEscape() throws(JSONError) -> UInt32 {
        let start = at
        at += 1
        if at >= bytes.count { throw fail("unexpected end of data") }
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 1
            return 0x20
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            if (0xDC00..<0xE000).contains(unit) { throw fail("lone surrogate in string", at: start) }
            guard (0xD800..<0xDC00).contains(unit) else { return unit }
            for expected in "\\u".utf8.enumerated() {
                if at + expected.offset >= bytes.count { throw fail("unexpected end of data", at: bytes.count) }
                if bytes[at + expected.offset] != expected.element { throw fail("lone surrogate in string", at: start) }
            }
            at += 1
            let low = try hexUnit()
            if !(0xDC00..<0xE000).contains(low) { throw fail("lone surrogate in string", at: start) }
            let scalar = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            if scalar & 0xF800 == 0xD800 { misreadPairs.append(start) }
            return scalar
        default:
            throw fail("invalid escape", at: start)
        }
    }

    /// Consumes the `u` of an escape and its four digits.
    private mutating func hexUnit() throws(JSONError) -> UInt32 {
        at += 1
        var unit: UInt32 = 0
        for _ in 0..<4 {
            if at >= bytes.count { throw fail("unexpected end of data") }
            guard let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue, bytes[at] < 0x80 else {
                throw fail("invalid escape")
            }
            unit = unit << 4 | UInt32(digit)
            at += 1
        }
        return unit
    }

    /// The length of the well-formed UTF-8 sequence here (Unicode 15, table 3-7).
    private func utf8Length() throws(JSONError) -> Int {
        let lead = bytes[at]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: throw fail("invalid UTF-8")
        }
        for index in 1..<length {
            if at + index >= bytes.count { throw fail("unexpected end of data", at: bytes.count) }
            let expected = index == 1 ? second : 0x80...0xBF
            if !expected.contains(bytes[at + index]) { throw fail("invalid UTF-8") }
        }
        return length
    }

    /// The text with misread pairs written as plain UTF-8.
    func rewritten() -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var end = 0
        for start in misreadPairs {
            result.append(contentsOf: bytes[end..<start])
            end = start + 12
            let units = [start + 2, start + 8].map { first in
                bytes[first..<first + 4].reduce(0 as UInt16) {
                    $0 << 4 | UInt16(Character(Unicode.Scalar($1)).hexDigitValue!)
                }
            }
            result.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
        }
        result.append(contentsOf: bytes[end...])
        return result
    }

    /// Where an offset in the rewritten text lies in the original.
    func original(_ offset: Int) -> Int {
        // Each pair shrank from 12 bytes to 4.
        misreadPairs.reduce(offset) { $1 < $0 ? $0 + 8 : $0 }
    }
}
