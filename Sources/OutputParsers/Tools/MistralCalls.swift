/// Mistral: a list of calls as JSON behind a marker, or each call's name and arguments between markers.
struct MistralCalls: PendingCalls {
    private enum Place: Sendable {
        case text
        /// Behind the marker, of which the bracket may be missing.
        case marker
        case list(CallListReader, read: Int)
        /// In a list that is broken: up to its bracket.
        case brokenList
        case name
        case arguments(CallReader?)
        /// Behind calls; none follows a list.
        case after(isList: Bool)
        /// Where all that comes is text.
        case over
    }

    private static let marker = "[TOOL_CALLS"
    private static let list = "] ["
    private static let separator = "[ARGS"

    private let tools: ToolTable
    private var place = Place.text
    var pending = PendingText()
    var log = CallLog()
    private var hasContent = false
    private(set) var isCallOpen = false

    init(_ tools: ToolTable) { self.tools = tools }

    // MARK: In pieces

    mutating func advance() -> Bool {
        switch place {
        case .text:
            let start = pending.place(of: Self.marker)
            say(pending.take(start ?? pending.count - pending.heldBack(for: Self.marker)))
            guard start != nil else { return false }
            pending.drop(Self.marker.utf8.count)
            place = .marker
            return true
        case .marker:
            if pending.isBeginning(of: Self.list) { return false }
            let isList = pending.begins(with: Self.list)
            if pending.begins(with: "]") { pending.drop(isList ? 2 : 1) }
            place = isList ? .list(CallListReader(), read: 0) : .name
            return true
        case .list(let reader, let read): return advance(reader, read)
        case .brokenList:
            guard let end = Self.endOfValue(pending, from: 0) else { return false }
            pending.drop(end)
            place = .after(isList: true)
            return true
        case .name: return advanceName()
        case .arguments(let reader): return advance(reader)
        case .after(let isList): return advanceAfter(isList)
        case .over:
            say(pending.takeAll())
            return false
        }
    }

    private mutating func say(_ text: String) {
        hasContent = hasContent || !text.stripped.isEmpty
        log.content(text)
    }

    private mutating func advance(_ reader: CallListReader, _ read: Int) -> Bool {
        var reader = reader
        place = .text
        let (end, progress) = reader.feed(pending, from: read, tools, &log)
        isCallOpen = reader.isOpen
        switch progress {
        case .more: place = .list(reader, read: end)
        case .done:
            pending.drop(end)
            place = .after(isList: true)
        case .failed:
            place = .brokenList
        }
        return progress != .more
    }

    private mutating func advanceName() -> Bool {
        guard let end = pending.place(of: Self.separator) else { return false }
        var behind = end + Self.separator.utf8.count
        guard behind < pending.count else { return false }
        if pending[behind] == UInt8(ascii: "]") { behind += 1 }
        while behind < pending.count, 0x09...0x0D ~= pending[behind] || pending[behind] == 0x20 { behind += 1 }
        guard behind < pending.count else { return false }
        let name = pending.text(0..<end).stripped
        guard !name.isEmpty, pending[behind] == UInt8(ascii: "{") || pending[behind] == UInt8(ascii: "[") else {
            place = .arguments(nil)
            return false
        }
        pending.drop(behind)
        let isKnown = tools.place(of: name) != nil
        if isKnown { log.call(name) }
        isCallOpen = isKnown
        place = .arguments(CallReader(name: name))
        return true
    }

    /// Without a reader the rest is broken and no more than that.
    private mutating func advance(_ reader: CallReader?) -> Bool {
        guard var reader else {
            pending.drop(pending.count)
            return false
        }
        place = .text
        var read = 0
        while read < pending.count, !reader.isBehindValue {
            guard reader.feed(pending[read]) == .more else {
                if isCallOpen { log.arguments(reader.takeArguments()) }
                place = .arguments(nil)
                return true
            }
            read += 1
        }
        pending.drop(read)
        let isDone = reader.isBehindValue
        if isDone { _ = reader.end() }
        if isCallOpen { log.arguments(reader.takeArguments()) }
        isCallOpen = isCallOpen && !isDone
        place = isDone ? .after(isList: false) : .arguments(reader)
        return isDone
    }

    private mutating func advanceAfter(_ isList: Bool) -> Bool {
        while !pending.isEmpty, 0x09...0x0D ~= pending[0] || pending[0] == 0x20 { pending.drop(1) }
        if pending.isEmpty || (!isList && pending.isBeginning(of: Self.marker)) { return false }
        place = isList ? .over : .text
        // What is said behind calls stands apart from what was said in front of them.
        if isList || !pending.begins(with: Self.marker), hasContent { log.content(" ") }
        return true
    }

    mutating func finish() -> [ToolCallEvent] {
        switch place {
        case .text, .over: say(pending.takeAll())
        case .after(let isList):
            if advanceAfter(isList) || !pending.isEmpty { say(pending.takeAll()) }
        default: pending.drop(pending.count)
        }
        return log.take()
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        guard let start = PendingText(text).place(of: Self.marker) else { return ToolCallAnswer(content: text) }
        var rest = PendingText(text)
        var answer = ToolCallAnswer(content: rest.take(start).stripped)
        let trailing: String
        if let list = rest.place(of: Self.marker + Self.list) {
            rest.drop(list + Self.marker.utf8.count + Self.list.utf8.count - 1)
            guard let end = Self.endOfValue(rest, from: 0) else { return answer }
            if case .list(let calls)? = JSONReader.value(of: rest.take(end)) {
                answer.calls = calls.compactMap(tools.call)
            }
            trailing = rest.text.stripped
        } else {
            while let call = Self.takeCall(&rest) {
                answer.calls += [call].compactMap(tools.call)
            }
            trailing = answer.calls.isEmpty ? "" : rest.text.stripped
        }
        if !trailing.isEmpty { answer.content = (answer.content + " " + trailing).stripped }
        return answer
    }

    /// The next call between markers, as an object; nil where none is whole.
    private static func takeCall(_ rest: inout PendingText) -> PythonValue? {
        var text = rest
        guard let start = text.place(of: marker) else { return nil }
        text.drop(start + marker.utf8.count)
        if text.begins(with: "]") { text.drop(1) }
        guard let end = text.place(of: separator) else { return nil }
        let name = text.take(end).stripped
        text.drop(separator.utf8.count)
        if text.begins(with: "]") { text.drop(1) }
        while !text.isEmpty, JSONPrinter.isSpace(text[0]) { text.drop(1) }
        guard !name.isEmpty, let close = endOfValue(text, from: 0), let value = JSONReader.value(of: text.take(close))
        else { return nil }
        rest = text
        var call = PythonDict()
        call["name"] = .string(name)
        call["arguments"] = value
        return .dict(call)
    }

    /// Where the object or list that begins at a place ends, by its brackets alone.
    private static func endOfValue(_ text: PendingText, from start: Int) -> Int? {
        guard start < text.count,
            let close = ["{": UInt8(ascii: "}"), "[": UInt8(ascii: "]")][text.text(start..<start + 1)]
        else { return nil }
        var depth = 0
        var isInText = false
        var isEscaped = false
        for place in start..<text.count {
            let byte = text[place]
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInText.toggle()
            } else if !isInText {
                if byte == text[start] { depth += 1 }
                if byte == close { depth -= 1 }
                if depth == 0 { return place + 1 }
            }
        }
        return nil
    }
}
