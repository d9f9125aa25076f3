/// Reads a whole JSON text as Python's `json.loads` does.
struct JSONReader {
    private let bytes: [UInt8]
    private(set) var place: Int
    private var depth = 0

    init(_ bytes: [UInt8], from place: Int = 0) {
        self.bytes = bytes
        self.place = place
    }

    /// The value that a text is, with nothing but space around it; nil where it is none.
    static func value(of text: String) -> PythonValue? {
        var reader = JSONReader(Array(text.utf8))
        reader.skipSpace()
        guard let value = reader.read() else { return nil }
        reader.skipSpace()
        return reader.place == reader.bytes.count ? value : nil
    }

    /// The value that begins here, whatever follows it.
    mutating func read() -> PythonValue? {
        guard place < bytes.count else { return nil }
        switch bytes[place] {
        case UInt8(ascii: "{"): return nested { $0.readDict() }
        case UInt8(ascii: "["): return nested { $0.readList() }
        case UInt8(ascii: "\""): return readString().map(PythonValue.string)
        default: return readWord()
        }
    }

    mutating func skipSpace() {
        while place < bytes.count, JSONPrinter.isSpace(bytes[place]) { place += 1 }
    }

    private mutating func nested(_ read: (inout JSONReader) -> PythonValue?) -> PythonValue? {
        guard depth < JSONPrinter.maximumDepth else { return nil }
        depth += 1
        defer { depth -= 1 }
        place += 1
        return read(&self)
    }

    /// Goes over a byte, with space around it, if it stands here.
    private mutating func skip(_ byte: Character) -> Bool {
        skipSpace()
        guard place < bytes.count, bytes[place] == byte.asciiValue else { return false }
        place += 1
        skipSpace()
        return true
    }

    private mutating func readDict() -> PythonValue? {
        var dict = PythonDict()
        if skip("}") { return .dict(dict) }
        repeat {
            guard place < bytes.count, bytes[place] == UInt8(ascii: "\""), let key = readString(), skip(":"),
                let value = read()
            else { return nil }
            dict[key] = value
        } while skip(",")
        skipSpace()
        return ends(with: "}") ? .dict(dict) : nil
    }

    private mutating func readList() -> PythonValue? {
        var elements: [PythonValue] = []
        skipSpace()
        if ends(with: "]") { return .list(elements) }
        repeat {
            guard let value = read() else { return nil }
            elements.append(value)
        } while skip(",")
        return ends(with: "]") ? .list(elements) : nil
    }

    private mutating func ends(with byte: Character) -> Bool {
        guard place < bytes.count, bytes[place] == byte.asciiValue else { return false }
        place += 1
        return true
    }

    /// Reads a text by printing it: what is printed is short of escapes that JSON does not know.
    private mutating func readString() -> String? {
        var text = QuotedText()
        place += 1
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch text.feed(byte) {
            case .more: break
            case .done: return String(decoding: text.bytes, as: UTF8.self)
            case .failed: return nil
            }
        }
        return nil
    }

    private mutating func readWord() -> PythonValue? {
        var end = place
        while end < bytes.count, Self.continuesWord(bytes[end]) { end += 1 }
        let word = String(decoding: bytes[place..<end], as: UTF8.self)
        let value: PythonValue?
        switch word {
        case "true": value = .bool(true)
        case "false": value = .bool(false)
        case "null": value = PythonValue.none
        case "NaN": value = .float(.nan)
        case "Infinity": value = .float(.infinity)
        case "-Infinity": value = .float(-.infinity)
        default: value = PythonJSON.number(word)
        }
        if value != nil { place = end }
        return value
    }

    /// Whether a byte may stand inside a number or a word.
    static func continuesWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
