/// Apertus: any number of thinking parts, with tool calls inside of them, which are content.
struct ApertusReasoning: PendingReasoning {
    private enum Place: Sendable {
        case text, thinking, tools
    }

    private static let start = "<|inner_prefix|>"
    private static let end = "<|inner_suffix|>"
    private static let tools = "<|tools_prefix|>["
    private static let toolsEnd = "<|tools_suffix|>"

    private let options: ReasoningOptions
    private var place: Place
    var pending = PendingText()
    /// Thinking that is held until it has ended.
    private var held = ""
    private var given = ""
    private var hasContent = false

    init(_ options: ReasoningOptions) {
        self.options = options
        let prefix = options.prefix.utf8
        place = prefix.contains(Self.start) && !prefix.contains(Self.end) ? .thinking : .text
    }

    mutating func advance(_ events: inout [ReasoningEvent]) -> Bool {
        switch place {
        case .text:
            let start = pending.place(of: Self.start)
            say(pending.take(start ?? pending.count - pending.heldBack(for: Self.start)), &events)
            guard start != nil else { return false }
            pending.drop(Self.start.utf8.count)
            place = .thinking
        case .thinking:
            guard let (marker, stop) = pending.first(of: [Self.end, Self.tools]) else {
                give(pending.take(pending.count - pending.heldBack(for: [Self.end, Self.tools])), &events)
                return false
            }
            give(pending.take(stop), &events)
            if marker == Self.end {
                pending.drop(marker.utf8.count)
                release(&events)
            }
            place = marker == Self.end ? .text : .tools
        case .tools:
            let end = pending.place(of: Self.toolsEnd).map { $0 + Self.toolsEnd.utf8.count }
            say(pending.take(end ?? pending.count - pending.heldBack(for: Self.toolsEnd)), &events)
            guard end != nil else { return false }
            place = .thinking
        }
        return true
    }

    private mutating func say(_ text: String, _ events: inout [ReasoningEvent]) {
        hasContent = hasContent || !text.utf8.isEmpty
        events.add(.content(text))
    }

    private mutating func give(_ text: String, _ events: inout [ReasoningEvent]) {
        if options.needsContent { given += text }
        if options.streams { events.add(.reasoning(text)) } else { held += text }
    }

    private mutating func release(_ events: inout [ReasoningEvent]) {
        events.add(.reasoning(held))
        held = ""
    }

    mutating func finish() -> [ReasoningEvent] {
        var events: [ReasoningEvent] = []
        let rest = pending.takeAll()
        if place == .thinking { give(rest, &events) } else { say(rest, &events) }
        release(&events)
        return options.needsContent && !hasContent ? [.content(given)] : events
    }

    /// The parts in order: a text is the last, even an empty one.
    func blocks(of text: String) -> [ReasoningEvent] {
        var stream = ApertusReasoning(ReasoningOptions(prefix: options.prefix))
        var blocks = stream.feed(text) + stream.finish()
        if case .content? = blocks.last { return blocks }
        blocks.append(.content(""))
        return blocks
    }

    func parse(_ text: String) -> ReasoningAnswer {
        var answer = ReasoningAnswer()
        for block in blocks(of: text) {
            switch block {
            case .reasoning(let text): answer.reasoning += text
            case .content(let text): answer.content += text
            }
        }
        if options.needsContent, answer.content.isEmpty { answer = ReasoningAnswer(content: answer.reasoning) }
        return answer
    }
}
