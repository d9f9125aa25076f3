/// Llama 3: calls as JSON objects with semicolons between them, behind a marker or from the very beginning.
struct LlamaCalls: PendingCalls {
    private enum Place: Sendable {
        case opening, text
        /// In an object, of which so many bytes are read.
        case object(CallReader, read: Int)
        /// In an object that is no JSON, perhaps a dictionary of Python: until its braces balance.
        case dictionary(read: Int)
        /// In something else: until the next call begins.
        case junk
        /// Behind an object: one character separates it from the next.
        case separator
    }

    private static let marker = "<|python_tag|>"
    private static let call = "{\"name\":"

    private let tools: ToolTable
    private var place = Place.opening
    var pending = PendingText()
    var log = CallLog()
    /// Bytes at the front that belong to nothing, until it is known whether a call follows.
    private var behind = 0
    /// Whether the object being read has begun for the client.
    private var isGiven = false
    private(set) var isCallOpen = false

    init(_ tools: ToolTable) { self.tools = tools }

    // MARK: In pieces

    mutating func advance() -> Bool {
        switch place {
        case .opening:
            if pending.isEmpty { return false }
            place = pending[0] == UInt8(ascii: "{") ? .object(CallReader(), read: 0) : .text
        case .text:
            let start = pending.place(of: Self.marker)
            log.content(pending.take(start ?? pending.count - pending.heldBack(for: Self.marker)))
            guard start != nil else { return false }
            pending.drop(Self.marker.utf8.count)
            place = .object(CallReader(), read: 0)
        case .object(let reader, let read): return advance(reader, read)
        case .dictionary(let read): return advanceDictionary(read)
        case .junk:
            guard let start = pending.place(of: Self.call, from: behind + 1) else { return false }
            behind = start
            place = .object(CallReader(), read: start)
        case .separator:
            guard pending.dropCharacter() else { return false }
            behind = 0
            place = .object(CallReader(), read: 0)
        }
        return true
    }

    private mutating func advance(_ reader: CallReader, _ read: Int) -> Bool {
        var reader = reader
        var read = read
        place = .text
        while read < pending.count {
            let progress = reader.feed(pending[read])
            read += 1
            if !isGiven, let name = reader.name, tools.place(of: name) != nil {
                log.call(name)
                isGiven = true
            }
            if progress == .more { continue }
            if progress == .done {
                if isGiven { log.arguments(reader.takeArguments()) }
                endObject(at: read)
            } else {
                if isGiven { log.arguments(reader.takeArguments()) }
                isCallOpen = isGiven
                place = isGiven ? .junk : .dictionary(read: behind)
                isGiven = false
            }
            return true
        }
        if isGiven { log.arguments(reader.takeArguments()) }
        isCallOpen = isGiven
        place = .object(reader, read: read)
        return false
    }

    /// Goes on behind an object and the one byte that separates it from the next.
    private mutating func endObject(at end: Int) {
        isGiven = false
        isCallOpen = false
        pending.drop(end)
        behind = 0
        place = .separator
    }

    private mutating func advanceDictionary(_ read: Int) -> Bool {
        var depth = 0
        for place in behind..<pending.count {
            if pending[place] == UInt8(ascii: "{") { depth += 1 }
            guard pending[place] == UInt8(ascii: "}") else { continue }
            depth -= 1
            guard depth == 0 else { continue }
            let text = pending.text(behind..<place + 1)
            if case .dict(let dict)? = PythonLiteral.value(of: text.stripped) {
                if let call = tools.call(of: .dict(dict)) {
                    log.call(call.name)
                    log.arguments(call.arguments)
                }
                endObject(at: place + 1)
            } else {
                self.place = .junk
            }
            return true
        }
        return false
    }

    mutating func finish() -> [ToolCallEvent] {
        while isUndecided {
            place = .junk
            while advance() {}
        }
        switch place {
        case .opening, .text, .separator: log.content(pending.takeAll())
        case .object, .dictionary, .junk:
            if !isCallOpen { log.content(pending.takeAll().stripped) }
        }
        return log.take()
    }

    /// Whether the end of the text shows that what was read is no call.
    private var isUndecided: Bool {
        switch place {
        case .dictionary: true
        case .object: !isGiven && pending.place(of: Self.call, from: behind + 1) != nil
        default: false
        }
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        let (before, action): (String, String)
        if let parts = text.split(at: Self.marker) {
            (before, action) = parts
        } else if text.utf8.first == UInt8(ascii: "{") {
            (before, action) = ("", text)
        } else {
            return ToolCallAnswer(content: text)
        }
        var answer = ToolCallAnswer(content: before)
        var rest = PendingText(action)
        var start = 0
        while start < rest.count {
            if let (object, end) = Self.object(in: rest, at: start) {
                answer.calls += [tools.call(of: object)].compactMap(\.self)
                rest.drop(end)
                _ = rest.dropCharacter()
                start = 0
            } else if let next = rest.place(of: Self.call, from: start + 1) {
                start = next
            } else {
                break
            }
        }
        answer.content += rest.text.stripped
        return answer
    }

    /// The object that begins at a place, as JSON or as Python writes it, and where it ends.
    private static func object(in text: PendingText, at start: Int) -> (PythonValue, Int)? {
        let bytes = Array(text.text(start..<text.count).utf8)
        var reader = JSONReader(bytes)
        if let value = reader.read() { return (value, start + reader.place) }
        var depth = 0
        for (place, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "{") { depth += 1 }
            guard byte == UInt8(ascii: "}") else { continue }
            depth -= 1
            guard depth == 0 else { continue }
            let text = String(decoding: bytes[...place], as: UTF8.self).stripped
            guard case .dict(let dict)? = PythonLiteral.value(of: text) else { return nil }
            return (.dict(dict), start + place + 1)
        }
        return nil
    }
}
