/// One format of tool calls, as a value that text is fed to.
protocol ToolCallFormat: Sendable {
    /// The pieces that are certain now.
    mutating func feed(_ delta: String) -> [ToolCallEvent]
    /// What was held back, once no more text comes.
    mutating func finish() -> [ToolCallEvent]
    /// Whether a call has begun whose arguments are not complete.
    var isCallOpen: Bool { get }
    /// A whole answer.
    func parse(_ text: String) -> ToolCallAnswer
}

/// A format that keeps what it cannot decide on yet, and decides on it bit by bit.
protocol PendingCalls: ToolCallFormat {
    /// Text that came and that nothing was decided on.
    var pending: PendingText { get set }
    /// What was decided.
    var log: CallLog { get set }
    /// Decides on what is pending as far as it can; whether there may be more to decide.
    mutating func advance() -> Bool
}

extension PendingCalls {
    mutating func feed(_ delta: String) -> [ToolCallEvent] {
        pending.append(delta)
        while advance() {}
        return log.take()
    }
}

/// Finds the tool calls in an answer.
///
/// Feed it the answer in pieces of any size and then call `finish`: what comes out, joined, depends on the text alone, and
/// nothing that came out is ever taken back. A parser that is fed the text so far again is in the same state, so nothing
/// of it has to be kept when a process dies. Where the answer has a reasoning part, this gets what the reasoning parser
/// gives as content.
///
/// A whole answer (`parse`) has the same calls. Its content is trimmed and follows the rules of its format for broken
/// blocks, which a stream cannot: it has sent what stands in front of them.
package struct ToolCallParser: Sendable {
    private let name: String
    /// nil where there are no tools: then all is text.
    private var format: (any ToolCallFormat)?

    /// A parser of a format that has a name or none.
    init(name: String, format: (any ToolCallFormat)?) {
        self.name = name
        self.format = format
    }

    /// The parser of a family of models, by the name that `--tool-call-parser` takes.
    package static func named(
        _ name: String, tools: [ToolDefinition]
    ) throws(UnknownParser) -> ToolCallParser {
        guard let family = ToolCallFamily.all[name] else {
            throw UnknownParser(kind: "tool call", name: name, choices: names)
        }
        return ToolCallParser(name: name, format: tools.isEmpty ? nil : family.format(ToolTable(tools)))
    }

    /// Every name, sorted.
    package static let names: [String] = ToolCallFamily.all.keys.sorted()

    /// Adds text; gives the pieces that are certain now.
    package mutating func feed(_ delta: String) -> [ToolCallEvent] {
        if format == nil { return delta.utf8.isEmpty ? [] : [.content(delta)] }
        return format?.feed(delta) ?? []
    }

    /// Gives what was held back, once no more text comes.
    package mutating func finish() -> [ToolCallEvent] { format?.finish() ?? [] }

    /// Whether a call has begun whose arguments are not complete: such an answer does not end with `tool_calls`.
    package var isCallOpen: Bool { format?.isCallOpen ?? false }

    /// A whole answer at once, by a parser that was fed nothing.
    package func parse(_ text: String) -> ToolCallAnswer { format?.parse(text) ?? ToolCallAnswer(content: text) }

    /// The id that the client gets for a call, where the format has a rule for it; nil for one made at random.
    ///
    /// `ordinal` counts the calls of the whole conversation.
    package func callID(of tool: String, ordinal: Int) -> String? {
        name == "kimi_k2" ? "functions.\(tool):\(ordinal)" : nil
    }
}
