internal import JSON

/// Kimi K2: calls with an id that names the tool, and arguments that are given as they were written.
struct KimiCalls: PendingCalls {
    private enum Place: Sendable {
        case text, between, head
        /// In the arguments of a call, which are held until they have ended where its tool is to be guessed by them.
        case arguments(isKnown: Bool, isGuess: Bool)
    }

    private static let section = "<|tool_calls_section_begin|>"
    private static let open = "<|tool_call_begin|>"
    private static let separator = "<|tool_call_argument_begin|>"
    private static let close = "<|tool_call_end|>"

    private let tools: ToolTable
    private var place = Place.text
    var pending = PendingText()
    var log = CallLog()
    /// Whether the arguments have begun.
    private var hasBegun = false
    private(set) var isCallOpen = false

    init(_ tools: ToolTable) { self.tools = tools }

    // MARK: In pieces

    mutating func advance() -> Bool {
        switch place {
        case .text:
            let section = pending.place(of: Self.section)
            log.content(pending.take(section ?? pending.count - pending.heldBack(for: Self.section)))
            guard section != nil else { return false }
            pending.drop(Self.section.utf8.count)
            place = .between
        case .between:
            guard let open = pending.place(of: Self.open) else {
                pending.drop(pending.count - pending.heldBack(for: Self.open))
                return false
            }
            pending.drop(open + Self.open.utf8.count)
            place = .head
        case .head: return advanceHead()
        case .arguments(let isKnown, let isGuess): return advanceArguments(isKnown, isGuess)
        }
        return true
    }

    private mutating func advanceHead() -> Bool {
        guard let (marker, end) = pending.first(of: [Self.separator, Self.open, Self.close]) else { return false }
        let id = pending.take(end).stripped
        pending.drop(marker.utf8.count)
        hasBegun = false
        switch (marker, KimiCallID(id)) {
        case (Self.open, _): place = .head
        case (Self.close, _): place = .between
        case (_, .named(let name)?) where tools.place(of: name) != nil: begin(name)
        case (_, .numbered?): place = .arguments(isKnown: false, isGuess: true)
        default: place = .arguments(isKnown: false, isGuess: false)
        }
        return true
    }

    private mutating func begin(_ name: String) {
        log.call(name)
        isCallOpen = true
        place = .arguments(isKnown: true, isGuess: false)
    }

    private mutating func advanceArguments(_ isKnown: Bool, _ isGuess: Bool) -> Bool {
        let close = pending.place(of: Self.close)
        if isGuess, close == nil { return false }
        if !hasBegun {
            while !pending.isEmpty, 0x09...0x0D ~= pending[0] || pending[0] == 0x20 { pending.drop(1) }
            guard !pending.isEmpty else { return false }
            hasBegun = true
        }
        let end = pending.place(of: Self.close)
        // Space in front of the end goes with it.
        var certain = end ?? pending.count - pending.heldBack(for: Self.close)
        while certain > 0, 0x09...0x0D ~= pending[certain - 1] || pending[certain - 1] == 0x20 { certain -= 1 }
        let text = pending.take(certain)
        if isGuess, let name = guess(text) { begin(name) }
        if isKnown || isCallOpen { log.arguments(text) }
        guard end != nil, let rest = pending.place(of: Self.close) else { return false }
        pending.drop(rest + Self.close.utf8.count)
        isCallOpen = false
        place = .between
        return true
    }

    /// The tool whose parameters are most like these arguments.
    private func guess(_ arguments: String) -> String? {
        if tools.tools.count == 1 { return tools.tools[0].name }
        guard case .dict(let dict)? = JSONReader.value(of: arguments) else { return nil }
        let keys = Set(dict.members.map(\.key))
        var best: (name: String, score: Int)?
        for tool in tools.tools {
            let properties = Set(SchemaTypes.properties(of: tool.parameters).keys)
            if properties.isEmpty { continue }
            let score = keys.intersection(properties).count - keys.subtracting(properties).count
            if score > best?.score ?? -1 { best = (tool.name, score) }
        }
        return best?.name
    }

    mutating func finish() -> [ToolCallEvent] {
        if case .text = place { log.content(pending.takeAll()) }
        return log.take()
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        guard let (before, _) = text.split(at: Self.section) else { return ToolCallAnswer(content: text) }
        var answer = ToolCallAnswer(content: before)
        for call in text.enclosed(by: Self.open, Self.close) {
            // A call that was broken off by the next one.
            let call = call.enclosed(by: Self.open, Self.close, unclosed: true).last ?? call
            guard let (id, rest) = call.split(at: Self.separator) else { continue }
            let arguments = rest.stripped
            guard arguments.utf8.first == UInt8(ascii: "{"), arguments.utf8.last == UInt8(ascii: "}"),
                let name = name(of: id.stripped, arguments)
            else { continue }
            answer.calls.append(ToolCall(name: name, arguments: arguments, toolIndex: answer.calls.count))
        }
        return answer
    }

    private func name(of id: String, _ arguments: String) -> String? {
        switch KimiCallID(id) {
        case .named(let name)?: tools.place(of: name) == nil ? nil : name
        case .numbered?: guess(arguments)
        case nil: nil
        }
    }
}

/// The id of a call: `functions.add:0`, or a number alone.
enum KimiCallID: Equatable {
    case named(String)
    case numbered

    init?(_ id: String) {
        if !id.utf8.isEmpty, id.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
            self = .numbered
            return
        }
        guard let colon = id.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let number = id.utf8[id.utf8.index(after: colon)...]
        guard !number.isEmpty, number.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        let name = String(id[..<colon]).removing(prefix: "functions.")
        guard !name.utf8.isEmpty, name.utf8.allSatisfy({ $0.isWordByte || $0 == 0x2E || $0 == 0x2D }) else {
            return nil
        }
        self = .named(name)
    }
}
