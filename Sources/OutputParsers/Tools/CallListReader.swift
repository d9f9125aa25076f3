/// Reads a call or a JSON list of calls byte by byte and logs those whose name a tool has.
struct CallListReader: Sendable {
    /// What came of a byte.
    enum Progress: Sendable {
        case more, done, failed
    }

    private enum Expected: Sendable {
        case start, callOrEnd, call, commaOrEnd, end
        case inCall(CallReader, inList: Bool)
    }

    private var expected = Expected.start
    /// Whether the call being read has begun for the client.
    private(set) var isOpen = false

    /// Reads a value that is a list or a call.
    init() {}

    /// Whether the value has ended.
    var isDone: Bool { if case .end = expected { true } else { false } }

    /// Reads bytes up to the end of the value; gives how many it took. What is certain goes to the log.
    mutating func feed(_ text: PendingText, from place: Int, _ tools: ToolTable, _ log: inout CallLog) -> (
        Int, Progress
    ) {
        var place = place
        while place < text.count {
            let progress = feed(text[place], tools, &log)
            place += 1
            if progress != .more { return (place, progress) }
        }
        if isOpen, case .inCall(var reader, let inList) = expected {
            expected = .start
            log.arguments(reader.takeArguments())
            expected = .inCall(reader, inList: inList)
        }
        return (place, .more)
    }

    private mutating func feed(_ byte: UInt8, _ tools: ToolTable, _ log: inout CallLog) -> Progress {
        if case .inCall(var reader, let inList) = expected {
            expected = .start
            let progress = reader.feed(byte)
            if !isOpen, let name = reader.name, tools.place(of: name) != nil {
                log.call(name)
                isOpen = true
            }
            switch progress {
            case .failed:
                if isOpen { log.arguments(reader.takeArguments()) }
                return .failed
            case .more:
                expected = .inCall(reader, inList: inList)
                return .more
            case .done:
                if isOpen { log.arguments(reader.takeArguments()) }
                isOpen = false
                expected = inList ? .commaOrEnd : .end
                return inList ? .more : .done
            }
        }
        if JSONPrinter.isSpace(byte) { return .more }
        switch (expected, byte) {
        case (.start, UInt8(ascii: "[")): expected = .callOrEnd
        case (.start, _): return begin(byte, inList: false)
        case (.callOrEnd, UInt8(ascii: "]")), (.commaOrEnd, UInt8(ascii: "]")):
            expected = .end
            return .done
        case (.callOrEnd, _), (.call, _): return begin(byte, inList: true)
        case (.commaOrEnd, UInt8(ascii: ",")): expected = .call
        default: return .failed
        }
        return .more
    }

    private mutating func begin(_ byte: UInt8, inList: Bool) -> Progress {
        var reader = CallReader()
        guard case .more = reader.feed(byte) else { return .failed }
        expected = .inCall(reader, inList: inList)
        return .more
    }
}
