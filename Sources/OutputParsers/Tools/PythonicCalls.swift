/// Llama 4: a list of Python calls, anywhere in the text; the first one counts.
struct PythonicCalls: ToolCallFormat {
    private static let tags = ["<|python_start|>", "<|python_end|>"]

    private let tools: ToolTable
    private var filter = TagFilter(tags)
    private var pending = PendingText()
    private var log = CallLog()
    private var isOver = false
    /// How much of a list that is not closed was looked at.
    private var searched = 0

    init(_ tools: ToolTable) { self.tools = tools }

    var isCallOpen: Bool { false }

    // MARK: In pieces

    mutating func feed(_ delta: String) -> [ToolCallEvent] {
        pending.append(filter.feed(delta))
        while advance(isLast: false) {}
        return log.take()
    }

    mutating func finish() -> [ToolCallEvent] {
        pending.append(filter.finish())
        while advance(isLast: true) {}
        log.content(pending.takeAll())
        return log.take()
    }

    private mutating func advance(isLast: Bool) -> Bool {
        guard !isOver, let start = pending.place(of: "[") else {
            log.content(pending.takeAll())
            return false
        }
        log.content(pending.take(start))
        if isLast || !mayBeList {
            guard let list = PythonCallList(Array(pending.text.utf8)) else {
                searched = 0
                log.content(pending.take(1))
                return true
            }
            give(list)
            return true
        }
        // A list ends with a bracket: where none has come, there is nothing new to see.
        guard let close = pending.place(of: "]", from: searched) else {
            searched = pending.count
            return false
        }
        searched = close + 1
        guard let list = PythonCallList(Array(pending.text(0..<searched).utf8)) else { return true }
        give(list)
        return true
    }

    private mutating func give(_ list: PythonCallList) {
        pending.drop(list.end)
        for call in list.calls {
            guard let arguments = call.arguments, let known = tools.call(call.name, arguments) else { continue }
            log.call(known.name)
            log.arguments(known.arguments)
        }
        isOver = true
    }

    /// Whether what is pending begins as a list of calls does, as far as it has come.
    private var mayBeList: Bool {
        var place = 1
        while place < pending.count, pending[place].isWordByte { place += 1 }
        guard place < pending.count else { return place == 1 || pending[1].isLetter }
        return place > 1 && pending[1].isLetter && pending[place] == UInt8(ascii: "(")
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        let stripped = text.stripped.removingAll(Self.tags)
        let bytes = Array(stripped.utf8)
        for (start, byte) in bytes.enumerated() where byte == UInt8(ascii: "[") {
            guard let list = PythonCallList(bytes, from: start) else { continue }
            let content = String(decoding: bytes[..<start] + bytes[list.end...], as: UTF8.self)
            let calls = list.calls.enumerated().compactMap { place, call -> ToolCall? in
                guard let known = call.arguments.flatMap({ tools.call(call.name, $0) }) else { return nil }
                return ToolCall(name: known.name, arguments: known.arguments, toolIndex: place)
            }
            return ToolCallAnswer(content: content, calls: calls)
        }
        return ToolCallAnswer(content: text)
    }
}

extension UInt8 {
    /// Whether this is a letter of ASCII.
    fileprivate var isLetter: Bool { 0x41...0x5A ~= self || 0x61...0x7A ~= self }
}
