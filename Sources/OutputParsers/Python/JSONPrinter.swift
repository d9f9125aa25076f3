/// Reads one JSON value byte by byte and prints it again as Python's `json.dumps` would.
///
/// What is printed is never taken back, so it can be sent while the value is still growing: text as it comes, a number
/// or a word once it has ended. Keys that stand twice are printed twice.
struct JSONPrinter: Sendable {
    /// What came of a byte.
    enum Progress: Sendable, Equatable {
        case more
        /// The value has ended with this byte.
        case done
        /// The value, a number or a word, had ended before this byte, which belongs to what follows.
        case doneBefore
        case failed
    }

    private enum Expected: Sendable {
        case value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd, end
        case word
        case string(QuotedText, isKey: Bool)
    }

    /// What is printed and was not taken.
    private(set) var printed: [UInt8] = []
    private var expected = Expected.value
    /// Brackets that are open.
    private var open: [UInt8] = []
    /// A number or a word so far.
    private var word: [UInt8] = []

    /// Deeper values count as broken.
    static let maximumDepth = 200

    /// Takes what is printed.
    mutating func take() -> [UInt8] {
        defer { printed.removeAll(keepingCapacity: true) }
        return printed
    }

    mutating func feed(_ byte: UInt8) -> Progress {
        switch expected {
        case .string(var text, let isKey):
            expected = .end
            let progress = text.feed(byte)
            for byte in text.take() { PythonJSON.escape(byte, to: &printed) }
            switch progress {
            case .failed: return .failed
            case .done: return endString(isKey)
            case .more: expected = .string(text, isKey: isKey)
            }
            return .more
        case .word: return inWord(byte)
        case .end: return .doneBefore
        default: return JSONPrinter.isSpace(byte) ? .more : structure(byte)
        }
    }

    private mutating func structure(_ byte: UInt8) -> Progress {
        switch (expected, byte) {
        case (.value, _): return begin(byte)
        case (.valueOrEnd, UInt8(ascii: "]")): return close(byte)
        case (.valueOrEnd, _): return begin(byte)
        case (.keyOrEnd, UInt8(ascii: "}")): return close(byte)
        case (.keyOrEnd, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")):
            printed.append(byte)
            expected = .string(QuotedText(), isKey: true)
        case (.colon, UInt8(ascii: ":")):
            printed += [byte, 0x20]
            expected = .value
        case (.commaOrEnd, UInt8(ascii: ",")):
            printed += [byte, 0x20]
            expected = open.last == UInt8(ascii: "{") ? .key : .value
        case (.commaOrEnd, UInt8(ascii: "]")) where open.last == UInt8(ascii: "["): return close(byte)
        case (.commaOrEnd, UInt8(ascii: "}")) where open.last == UInt8(ascii: "{"): return close(byte)
        default: return .failed
        }
        return .more
    }

    /// Ends a value that nothing follows; whether it is one.
    mutating func finish() -> Bool {
        switch expected {
        case .end: true
        case .word: open.isEmpty && endWord()
        default: false
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private mutating func begin(_ byte: UInt8) -> Progress {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if open.count == Self.maximumDepth { return .failed }
            open.append(byte)
            printed.append(byte)
            expected = byte == UInt8(ascii: "{") ? .keyOrEnd : .valueOrEnd
        case UInt8(ascii: "\""):
            printed.append(byte)
            expected = .string(QuotedText(), isKey: false)
        case _ where JSONReader.continuesWord(byte):
            word = [byte]
            expected = .word
        default: return .failed
        }
        return .more
    }

    private mutating func close(_ byte: UInt8) -> Progress {
        printed.append(byte)
        open.removeLast()
        return ended()
    }

    private mutating func ended() -> Progress {
        expected = open.isEmpty ? .end : .commaOrEnd
        return open.isEmpty ? .done : .more
    }

    private mutating func endString(_ isKey: Bool) -> Progress {
        printed.append(UInt8(ascii: "\""))
        guard isKey else { return ended() }
        expected = .colon
        return .more
    }

    private mutating func inWord(_ byte: UInt8) -> Progress {
        if JSONReader.continuesWord(byte) {
            word.append(byte)
            return .more
        }
        guard endWord() else { return .failed }
        return open.isEmpty ? .doneBefore : feed(byte)
    }

    private mutating func endWord() -> Bool {
        var reader = JSONReader(word)
        guard let value = reader.read(), reader.place == word.count else { return false }
        printed += Array(value.json.utf8)
        _ = ended()
        return true
    }
}
