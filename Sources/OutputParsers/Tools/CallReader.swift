/// Reads one call written as a JSON object byte by byte: its name, then its arguments as they grow.
struct CallReader: Sendable {
    /// What came of a byte.
    enum Progress: Sendable {
        case more, done, failed
    }

    private enum Expected: Sendable {
        case start, keyOrEnd, key, colon, commaOrEnd
        case inKey(QuotedText)
        case value(JSONPrinter)
    }

    /// The value of `name`, once it is whole.
    private(set) var name: String?
    /// Arguments that were printed and not taken.
    private var printed: [UInt8] = []
    private var expected = Expected.start
    private var key: [UInt8] = []
    /// Whether the value being read is printed as the arguments; settled by the first one that is not empty.
    private var isPrinting = false
    private var isSettled = false
    /// What stands for the arguments where none are given or all are empty.
    private var fallback = Array("{}".utf8)

    init() {}

    /// Reads the arguments alone, of a call whose name is known.
    init(name: String) {
        self.name = name
        key = Array("parameters".utf8)
        expected = .value(JSONPrinter())
    }

    /// Whether a value of the object has ended and nothing has come behind it.
    var isBehindValue: Bool { if case .commaOrEnd = expected { true } else { false } }

    /// Reads the front of a text, up to a place; gives how far it came, with the byte that broke the object.
    mutating func feed(_ text: PendingText, to end: Int) -> (read: Int, progress: Progress) {
        for place in 0..<end {
            let progress = feed(text[place])
            if progress != .more { return (place + 1, progress) }
        }
        return (end, .more)
    }

    /// Ends the arguments of a call whose name is known; whether they are complete.
    mutating func end() -> Bool { feed(UInt8(ascii: "}")) == .done }

    /// Takes what is printed of the arguments; only once the name is known.
    mutating func takeArguments() -> String {
        if isPrinting, case .value(var printer) = expected {
            expected = .start
            printed += printer.take()
            expected = .value(printer)
        }
        defer { printed.removeAll(keepingCapacity: true) }
        return String(decoding: printed, as: UTF8.self)
    }

    mutating func feed(_ byte: UInt8) -> Progress {
        switch expected {
        case .inKey(var text):
            expected = .start
            switch text.feed(byte) {
            case .failed: return .failed
            case .done:
                key = text.bytes
                expected = .colon
            case .more: expected = .inKey(text)
            }
            return .more
        case .value(var printer):
            expected = .start
            let progress = printer.feed(byte)
            switch progress {
            case .failed:
                // What was printed so far is given, wherever the text was cut.
                if isPrinting { printed += printer.take() }
                return .failed
            case .more:
                settle(printer)
                expected = .value(printer)
                return .more
            case .done, .doneBefore:
                end(&printer)
                expected = .commaOrEnd
                return progress == .done ? .more : feed(byte)
            }
        default: return JSONPrinter.isSpace(byte) ? .more : structure(byte)
        }
    }

    private mutating func structure(_ byte: UInt8) -> Progress {
        switch (expected, byte) {
        case (.start, UInt8(ascii: "{")): expected = .keyOrEnd
        case (.keyOrEnd, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")): expected = .inKey(QuotedText())
        case (.colon, UInt8(ascii: ":")): expected = .value(JSONPrinter())
        case (.commaOrEnd, UInt8(ascii: ",")): expected = .key
        case (.commaOrEnd, UInt8(ascii: "}")), (.keyOrEnd, UInt8(ascii: "}")):
            if !isSettled { printed = fallback }
            return .done
        default: return .failed
        }
        return .more
    }

    private var isArguments: Bool { key.elementsEqual("arguments".utf8) || key.elementsEqual("parameters".utf8) }

    /// Settles for a growing value once it is certain not to be empty.
    private mutating func settle(_ printer: JSONPrinter) {
        guard !isSettled, isArguments, printer.printed.count > 1 else { return }
        isPrinting = true
        isSettled = true
    }

    private mutating func end(_ printer: inout JSONPrinter) {
        defer { isPrinting = false }
        if isPrinting {
            printed += printer.take()
        } else if isArguments, !isSettled {
            let value = printer.take()
            if Self.empty.contains(value) {
                if key.elementsEqual("arguments".utf8) { fallback = value }
            } else {
                isSettled = true
                printed += value
            }
        } else if key.elementsEqual("name".utf8) {
            guard case .string(let text)? = JSONReader.value(of: String(decoding: printer.take(), as: UTF8.self))
            else { return }
            name = text
        }
    }

    /// Values that count as none.
    private static let empty = ["{}", "[]", "\"\"", "null", "false", "0", "0.0", "-0.0"].map { Array($0.utf8) }
}
