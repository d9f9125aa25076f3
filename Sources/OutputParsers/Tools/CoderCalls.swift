internal import JSON

/// Qwen3-Coder: tags around each call and each argument. Each argument is given once it is whole; names are not checked.
struct CoderCalls: PendingCalls {
    private enum Place: Sendable {
        case text
        /// In a block, between calls.
        case block
        /// In a call, between arguments.
        case call
        case argument(key: String)
    }

    private static let open = "<tool_call>"
    private static let close = "</tool_call>"
    private static let call = "<function="
    private static let callEnd = "</function>"
    private static let argument = "<parameter="
    private static let argumentEnd = "</parameter>"

    private let tools: ToolTable
    private var place = Place.text
    var pending = PendingText()
    var log = CallLog()
    private var hasBlocks = false
    private var hasClosedBlocks = false
    private var properties = JSONObject()
    private var hasArguments = false
    private(set) var isCallOpen = false

    init(_ tools: ToolTable) { self.tools = tools }

    // MARK: In pieces

    mutating func advance() -> Bool {
        switch place {
        case .text: return advanceText()
        case .block:
            guard let (marker, start) = skip(to: [Self.call, Self.close]) else { return false }
            if marker == Self.close {
                end(marker, start)
                return true
            }
            guard let name = name(behind: start + marker.utf8.count, orAny: [Self.callEnd, Self.close]) else {
                return false
            }
            if let name { begin(name) }
        case .call:
            guard let (marker, start) = skip(to: [Self.argument, Self.callEnd, Self.close]) else { return false }
            if marker != Self.argument {
                endCall()
                end(marker, start)
                return true
            }
            guard let key = name(behind: start + marker.utf8.count, orAny: Self.ends) else { return false }
            if let key { place = .argument(key: key) }
        case .argument(let key):
            guard let (marker, end) = pending.first(of: Self.ends) else { return false }
            give(key, pending.take(end))
            if marker == Self.argumentEnd { pending.drop(marker.utf8.count) }
            place = .call
        }
        return true
    }

    /// What may end an argument.
    private static let ends = [argumentEnd, argument, callEnd, close]

    private mutating func advanceText() -> Bool {
        let open = pending.place(of: Self.open)
        let text = pending.take(open ?? pending.count - pending.heldBack(for: Self.open))
        if !hasBlocks { log.content(text) }
        guard open != nil else { return false }
        pending.drop(Self.open.utf8.count)
        hasBlocks = true
        place = .block
        return true
    }

    /// The next marker, behind text that means nothing.
    private mutating func skip(to markers: [String]) -> (String, Int)? {
        if let found = pending.first(of: markers) {
            pending.drop(found.1)
            return (found.0, 0)
        }
        pending.drop(pending.count - pending.heldBack(for: markers))
        return nil
    }

    /// Takes a tag with its name; a name of nil for a tag that does not end before others, nil where that is not certain.
    private mutating func name(behind start: Int, orAny ends: [String]) -> String?? {
        let end = pending.place(of: ">", from: start)
        let others = ends.compactMap { pending.place(of: $0, from: start) }.min()
        guard let end, end < others ?? .max else {
            guard let others else { return nil }
            pending.drop(others)
            return .some(nil)
        }
        let name = pending.text(start..<end)
        pending.drop(end + 1)
        return name
    }

    private mutating func begin(_ name: String) {
        log.call(name)
        properties = Self.properties(of: name, tools)
        hasArguments = false
        isCallOpen = true
        place = .call
    }

    private mutating func give(_ key: String, _ value: String) {
        let value = Self.value(value, key, properties).json
        log.arguments((hasArguments ? ", " : "{") + PythonValue.string(key).json + ": " + value)
        hasArguments = true
    }

    private mutating func endCall() {
        log.arguments(hasArguments ? "}" : "{}")
        isCallOpen = false
        place = .block
    }

    private mutating func end(_ marker: String, _ start: Int) {
        pending.drop(start + marker.utf8.count)
        guard marker == Self.close else { return }
        hasClosedBlocks = true
        place = .text
    }

    mutating func finish() -> [ToolCallEvent] {
        let rest = pending.takeAll()
        switch place {
        case .text where !hasBlocks: log.content(rest)
        case .text, .block: break
        // The only block counts though it has no end.
        case .call where !hasClosedBlocks: endCall()
        case .argument(let key) where !hasClosedBlocks:
            give(key, rest)
            endCall()
        case .call, .argument: break
        }
        return log.take()
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        guard let (before, _) = text.split(at: Self.open) else { return ToolCallAnswer(content: text) }
        var blocks = text.enclosed(by: Self.open, Self.close)
        if blocks.isEmpty, text.holds(Self.call) { blocks = [text] }
        var answer = ToolCallAnswer(content: before)
        for block in blocks {
            for call in block.enclosed(by: Self.call, Self.callEnd, unclosed: true) {
                guard let (name, body) = call.split(at: ">") else { continue }
                let arguments = arguments(of: body, Self.properties(of: name, tools))
                answer.calls.append(
                    ToolCall(name: name, arguments: PythonValue.dict(arguments).json, toolIndex: answer.calls.count))
            }
        }
        return answer
    }

    private func arguments(of body: String, _ properties: JSONObject) -> PythonDict {
        var rest = PendingText(body)
        var arguments = PythonDict()
        while let start = rest.place(of: Self.argument) {
            rest.drop(start + Self.argument.utf8.count)
            let (marker, end) = rest.first(of: [Self.argumentEnd, Self.argument]) ?? ("", rest.count)
            let piece = rest.take(end)
            if marker == Self.argumentEnd { rest.drop(marker.utf8.count) }
            guard let (key, value) = piece.split(at: ">") else { continue }
            arguments[key] = Self.value(value, key, properties)
        }
        return arguments
    }

    private static func value(_ text: String, _ key: String, _ properties: JSONObject) -> PythonValue {
        let text = text.removing(prefix: "\n", suffix: "\n")
        guard let schema = properties[key] else { return text.lowercased() == "null" ? .none : .string(text) }
        return ValueConversion.coder(text, SchemaTypes.primary(of: schema) ?? "string")
    }

    /// The properties of a schema, or, where it has none, what it has instead.
    private static func properties(of name: String, _ tools: ToolTable) -> JSONObject {
        let properties = tools.properties(of: name)
        guard properties.isEmpty, case .object(let members)? = tools.parameters(of: name), members["properties"] == nil
        else { return properties }
        return members
    }
}
