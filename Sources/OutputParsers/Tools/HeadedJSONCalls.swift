/// Calls with a head that names the tool and arguments as JSON behind it: DeepSeek V3 and V3.1.
struct HeadedJSONCalls: PendingCalls {
    /// What tells the formats of this kind apart.
    struct Style: Sendable {
        /// What ends the content.
        let section: String
        let open: String
        /// What stands between head and arguments.
        let separator: String
        /// What stands between the arguments and the end of the call.
        let tail: String
        let close: String
        /// The tool that a head names; nil for a broken head.
        let name: @Sendable (String) -> String?
    }

    private enum Place: Sendable {
        case text, between, head
        /// In the arguments of a call; nil where no tool has its name.
        case arguments(CallReader?)
        /// Where all that comes is text.
        case broken
    }

    private let style: Style
    private let tools: ToolTable
    private var place = Place.text
    var pending = PendingText()
    var log = CallLog()
    /// What was taken since the content ended, for as long as no call was given.
    private var raw = ""
    private(set) var isCallOpen = false

    init(_ style: Style, _ tools: ToolTable) {
        self.style = style
        self.tools = tools
    }

    // MARK: In pieces

    mutating func advance() -> Bool {
        switch place {
        case .text:
            let section = pending.place(of: style.section)
            log.content(pending.take(section ?? pending.count - pending.heldBack(for: style.section)))
            guard section != nil else { return false }
            take(style.section.utf8.count)
            place = .between
        case .between:
            guard let open = pending.place(of: style.open) else {
                take(pending.count - pending.heldBack(for: style.open))
                return false
            }
            take(open + style.open.utf8.count)
            place = .head
        case .head: return advanceHead()
        case .arguments(let reader): return advanceArguments(reader)
        case .broken:
            log.content(pending.takeAll())
            return false
        }
        return true
    }

    /// Goes over bytes that are no content.
    private mutating func take(_ count: Int) {
        if log.count == 0 { raw += pending.take(count) } else { pending.drop(count) }
    }

    private mutating func advanceHead() -> Bool {
        guard let (marker, end) = pending.first(of: [style.separator, style.close]) else { return false }
        guard marker == style.separator, let name = style.name(pending.text(0..<end)) else {
            breakOff()
            return true
        }
        take(end + marker.utf8.count)
        place = .arguments(nil)
        if tools.place(of: name) != nil {
            raw = ""
            log.call(name)
            isCallOpen = true
            place = .arguments(CallReader(name: name))
        }
        return true
    }

    private mutating func advanceArguments(_ reader: CallReader?) -> Bool {
        var reader = reader
        place = .between
        let (end, isEnd) = endOfArguments
        let result = reader?.feed(pending, to: end)
        log.arguments(reader?.takeArguments() ?? "")
        if let result, result.progress != .more {
            take(result.read - 1)
            breakOff()
            return true
        }
        take(end)
        guard isEnd else {
            place = .arguments(reader)
            return false
        }
        guard pending.begins(with: style.tail + style.close) else {
            breakOff()
            return true
        }
        take(style.tail.utf8.count + style.close.utf8.count)
        if var reader {
            guard reader.end() else {
                breakOff()
                return true
            }
            log.arguments(reader.takeArguments())
            isCallOpen = false
        }
        return true
    }

    /// How far the arguments are certain to reach, and whether they end there.
    private var endOfArguments: (Int, Bool) {
        let markers = style.tail.isEmpty ? [style.close] : [style.tail + style.close, style.close]
        if let (_, end) = pending.first(of: markers) { return (end, true) }
        return (pending.count - pending.heldBack(for: markers), false)
    }

    /// Makes what follows text, and what was not given of the calls so far.
    private mutating func breakOff() {
        log.content(raw)
        raw = ""
        place = .broken
    }

    mutating func finish() -> [ToolCallEvent] {
        switch place {
        case .text, .broken: log.content(pending.takeAll())
        case .between, .head, .arguments: pending.drop(pending.count)
        }
        return log.take()
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        guard let (before, _) = text.split(at: style.section) else { return ToolCallAnswer(content: text) }
        var answer = ToolCallAnswer(content: before.stripped)
        for call in text.enclosed(by: style.open, style.close) {
            guard let (head, rest) = call.split(atLast: style.separator), let name = style.name(head),
                rest.utf8.reversed().starts(with: style.tail.utf8.reversed()),
                let value = JSONReader.value(of: rest.removing(suffix: style.tail))
            else { return ToolCallAnswer(content: text) }
            var dict = PythonDict()
            dict["name"] = .string(name)
            dict["parameters"] = value
            answer.calls += [tools.call(of: .dict(dict))].compactMap(\.self)
        }
        return answer
    }
}
