/// Reads Python's literals, as `ast.literal_eval` does: those that JSON can say.
struct PythonLiteral {
    /// What is accepted beyond numbers, texts, lists and dictionaries.
    struct Dialect: Sendable {
        /// Tuples, which become lists.
        var hasTuples = true
        /// `true`, `false` and `null`.
        var hasJSONWords = false
    }

    private let bytes: [UInt8]
    private(set) var place: Int
    private let dialect: Dialect
    private var depth = 0

    init(_ bytes: [UInt8], from place: Int = 0, _ dialect: Dialect = Dialect()) {
        self.bytes = bytes
        self.place = place
        self.dialect = dialect
    }

    /// The value that a text is; nil where it is none.
    static func value(of text: String, _ dialect: Dialect = Dialect()) -> PythonValue? {
        var reader = PythonLiteral(Array(text.utf8), dialect)
        reader.skipSpace()
        guard let value = reader.read() else { return nil }
        reader.skipSpace()
        if reader.place == reader.bytes.count { return value }
        // Elements with commas between them are a tuple without brackets.
        guard dialect.hasTuples, reader.bytes[reader.place] == UInt8(ascii: ",") else { return nil }
        var elements = [value]
        while reader.skip(",") {
            if reader.place == reader.bytes.count { break }
            guard let next = reader.read() else { return nil }
            elements.append(next)
            reader.skipSpace()
        }
        return reader.place == reader.bytes.count ? .list(elements) : nil
    }

    private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

    /// The value that begins here, whatever follows it.
    mutating func read() -> PythonValue? {
        guard let byte else { return nil }
        switch byte {
        case UInt8(ascii: "["): return nested { reader in reader.elements(until: "]").map { .list($0.values) } }
        case UInt8(ascii: "("): return nested { $0.readGroup() }
        case UInt8(ascii: "{"): return nested { $0.readDict() }
        case UInt8(ascii: "-"), UInt8(ascii: "+"): return readSigned(byte)
        case 0x30...0x39, UInt8(ascii: "."): return readNumber()
        default: return readText() ?? readWord()
        }
    }

    mutating func skipSpace() {
        while let byte, JSONPrinter.isSpace(byte) || byte == 0x0C { place += 1 }
    }

    private mutating func skip(_ character: Character) -> Bool {
        skipSpace()
        guard let byte, byte == character.asciiValue else { return false }
        place += 1
        skipSpace()
        return true
    }

    private mutating func nested(_ read: (inout PythonLiteral) -> PythonValue?) -> PythonValue? {
        guard depth < JSONPrinter.maximumDepth else { return nil }
        depth += 1
        defer { depth -= 1 }
        place += 1
        return read(&self)
    }

    /// The elements up to a closing bracket, and whether a comma stands behind the last.
    private mutating func elements(until close: Character) -> (values: [PythonValue], hasLastComma: Bool)? {
        var values: [PythonValue] = []
        var hasLastComma = false
        while !skipClosing(close) {
            guard values.isEmpty || hasLastComma, let value = read() else { return nil }
            values.append(value)
            hasLastComma = skip(",")
        }
        return (values, hasLastComma)
    }

    private mutating func skipClosing(_ close: Character) -> Bool {
        skipSpace()
        guard let byte, byte == close.asciiValue else { return false }
        place += 1
        return true
    }

    /// A tuple, or one value in brackets.
    private mutating func readGroup() -> PythonValue? {
        guard let elements = elements(until: ")") else { return nil }
        if elements.values.count == 1, !elements.hasLastComma { return elements.values[0] }
        return dialect.hasTuples ? .list(elements.values) : nil
    }

    private mutating func readDict() -> PythonValue? {
        var dict = PythonDict()
        var isFirst = true
        var hasComma = false
        while !skipClosing("}") {
            guard isFirst || hasComma, let key = read().flatMap(Self.key), skip(":"), let value = read() else {
                return nil
            }
            dict[key] = value
            isFirst = false
            hasComma = skip(",")
        }
        return .dict(dict)
    }

    /// A key as JSON writes it; nil for one that it cannot write.
    private static func key(_ value: PythonValue) -> String? {
        switch value {
        case .string(let text): text
        case .list, .dict: nil
        default: value.json
        }
    }

    private mutating func readSigned(_ sign: UInt8) -> PythonValue? {
        place += 1
        skipSpace()
        switch readNumber() {
        case .integer(let digits)?: return .integer(sign == UInt8(ascii: "-") && digits != "0" ? "-" + digits : digits)
        case .float(let number)?: return .float(sign == UInt8(ascii: "-") ? -number : number)
        default: return nil
        }
    }

    private mutating func readNumber() -> PythonValue? {
        let start = place
        while let byte, byte.isWordByte || byte == UInt8(ascii: ".") || isSignOfExponent(byte, since: start) {
            place += 1
        }
        return PythonNumber.value(of: String(decoding: bytes[start..<place], as: UTF8.self))
    }

    private func isSignOfExponent(_ byte: UInt8, since start: Int) -> Bool {
        guard byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"), place > start else { return false }
        return bytes[place - 1] | 0x20 == UInt8(ascii: "e")
            && bytes[start..<place].allSatisfy { $0 | 0x20 != UInt8(ascii: "x") }
    }

    private mutating func readWord() -> PythonValue? {
        let start = place
        while let byte, byte.isWordByte { place += 1 }
        switch String(decoding: bytes[start..<place], as: UTF8.self) {
        case "True": return .bool(true)
        case "False": return .bool(false)
        case "None": return PythonValue.none
        case "true" where dialect.hasJSONWords: return .bool(true)
        case "false" where dialect.hasJSONWords: return .bool(false)
        case "null" where dialect.hasJSONWords: return PythonValue.none
        default: return nil
        }
    }

    /// One text, or several side by side, which are one.
    private mutating func readText() -> PythonValue? {
        var text: [UInt8] = []
        var isText = false
        while let quoted = PythonQuotedText(bytes, at: place) {
            text += quoted.bytes
            place = quoted.end
            isText = true
            skipSpace()
        }
        return isText ? .string(String(decoding: text, as: UTF8.self)) : nil
    }
}

extension UInt8 {
    /// Whether this may stand in a name or a number.
    var isWordByte: Bool {
        0x30...0x39 ~= self || 0x41...0x5A ~= self || 0x61...0x7A ~= self || self == 0x5F || self >= 0x80
    }
}
