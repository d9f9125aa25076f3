package import JSON

/// One way of marking thinking, as a value that text is fed to.
protocol ReasoningFormat: Sendable {
    /// The pieces that are certain now.
    mutating func feed(_ delta: String) -> [ReasoningEvent]
    /// What was held back, once no more text comes.
    mutating func finish() -> [ReasoningEvent]
    /// A whole answer.
    func parse(_ text: String) -> ReasoningAnswer
}

/// A format that keeps what it cannot decide on yet, and decides on it bit by bit.
protocol PendingReasoning: ReasoningFormat {
    /// Text that came and that nothing was decided on.
    var pending: PendingText { get set }
    /// Decides on what is pending as far as it can; whether there may be more to decide.
    mutating func advance(_ events: inout [ReasoningEvent]) -> Bool
}

extension PendingReasoning {
    mutating func feed(_ delta: String) -> [ReasoningEvent] {
        pending.append(delta)
        var events: [ReasoningEvent] = []
        while advance(&events) {}
        return events
    }
}

/// Tells what a model thinks from what it says.
///
/// Feed it the answer in pieces of any size and then call `finish`: what comes out, joined, depends on the text alone. A
/// parser that is fed the text so far again is in the same state, so nothing of it has to be kept when a process dies.
package struct ReasoningParser: Sendable {
    private var format: any ReasoningFormat

    /// The parser of a family of models, by the name that `--reasoning-parser` takes.
    package static func named(
        _ name: String, _ options: ReasoningOptions = .init()
    ) throws(UnknownParser) -> ReasoningParser {
        guard let family = ReasoningFamily.all[name] else {
            throw UnknownParser(kind: "reasoning", name: name, choices: names)
        }
        return ReasoningParser(format: family.format(options))
    }

    /// Whether an answer begins inside the thinking part.
    ///
    /// - Parameters:
    ///   - variables: the chat template's, with `reasoning_effort` among them where the request gives one.
    ///   - template: what the template shows of it; nil where it shows nothing, and the parser's own rule decides.
    package static func isForced(_ name: String, _ variables: JSONObject, template: Bool? = nil) -> Bool {
        guard let rule = ReasoningFamily.all[name]?.rule else { return template ?? false }
        return rule.isFirst ? rule.isForced(variables) : template ?? rule.isForced(variables)
    }

    /// What stands around the thinking part of a family; nil where that cannot be said.
    ///
    /// - Parameter effort: `reasoning_effort`, where the request gives one.
    package static func span(_ name: String, isForced: Bool, effort: String?) -> ThinkingSpan? {
        guard let family = ReasoningFamily.all[name] else { return nil }
        let own = name == "k2_horizon" ? ReasoningFamily.horizon(effort ?? "high") : nil
        return (own ?? family.markers).map {
            ThinkingSpan(
                start: $0.start, end: $0.end, calls: $0.tool, isOpen: isForced && !family.opensItself,
                answer: family.answer)
        }
    }

    /// Every name, sorted.
    package static let names: [String] = ReasoningFamily.all.keys.sorted()

    /// Adds text; gives the pieces that are certain now.
    package mutating func feed(_ delta: String) -> [ReasoningEvent] { format.feed(delta) }

    /// Gives what was held back, once no more text comes.
    package mutating func finish() -> [ReasoningEvent] { format.finish() }

    /// The parts of a whole answer in order, by a parser that was fed nothing; the last one is content, even if empty.
    package func blocks(of text: String) -> [ReasoningEvent] {
        if let format = format as? ApertusReasoning { return format.blocks(of: text) }
        let answer = parse(text)
        return (answer.reasoning.isEmpty ? [] : [.reasoning(answer.reasoning)]) + [.content(answer.content)]
    }

    /// A whole answer at once, by a parser that was fed nothing.
    package func parse(_ text: String) -> ReasoningAnswer { format.parse(text) }
}

/// The texts around the thinking part of an answer.
package struct ThinkingSpan: Sendable, Equatable {
    package let start: String
    package let end: String
    /// Where calls of tools begin, which end it too; nil: they do not.
    package let calls: String?
    /// The prompt has opened it.
    package let isOpen: Bool
    /// Text behind which the answer begins; nil: right behind the thinking part.
    package let answer: String?
}

/// A name that no parser has.
package struct UnknownParser: Error, Equatable, CustomStringConvertible {
    /// "reasoning" or "tool call".
    package let kind: String
    package let name: String
    package let choices: [String]

    package var description: String {
        if kind == "tool call", ["deepseekv4", "deepseekv41"].contains(name) {
            return "'\(name)' output is parsed with its model's tokenizer; this server does not serve that model"
        }
        return "unknown \(kind) parser '\(name)' (choose from \(choices.joined(separator: ", ")))"
    }
}
