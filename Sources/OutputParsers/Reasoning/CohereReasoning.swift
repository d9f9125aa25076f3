/// Command A: thinking, then a text or an action, which stays as it is for the tool call parser.
struct CohereReasoning: PendingReasoning {
    private enum Place: Sendable {
        case opening, thinking, between, text, action, after
    }

    private static let start = "<|START_THINKING|>"
    private static let end = "<|END_THINKING|>"
    private static let text = "<|START_TEXT|>"
    private static let textEnd = "<|END_TEXT|>"
    private static let action = "<|START_ACTION|>"

    private let options: ReasoningOptions
    private var place = Place.opening
    var pending = PendingText()
    private var given = ""

    init(_ options: ReasoningOptions) { self.options = options }

    mutating func advance(_ events: inout [ReasoningEvent]) -> Bool {
        switch place {
        case .opening:
            if pending.isBeginning(of: Self.start) { return false }
            if pending.begins(with: Self.start) { pending.drop(Self.start.utf8.count) }
            place = .thinking
            return true
        case .thinking: return advanceThinking(&events)
        case .between:
            guard let (marker, start) = pending.first(of: [Self.text, Self.action]) else { return false }
            pending.drop(marker == Self.text ? start + marker.utf8.count : start)
            place = marker == Self.text ? .text : .action
            return true
        case .text:
            let end = pending.place(of: Self.textEnd)
            events.add(.content(pending.take(end ?? pending.count - pending.heldBack(for: Self.textEnd))))
            guard end != nil else { return false }
            place = .after
            return true
        case .action:
            events.add(.content(pending.takeAll()))
            return false
        case .after:
            pending.drop(pending.count)
            return false
        }
    }

    private mutating func advanceThinking(_ events: inout [ReasoningEvent]) -> Bool {
        let markers = [Self.end, Self.text, Self.action]
        guard let (marker, stop) = pending.first(of: markers) else {
            guard options.streams else { return false }
            give(pending.take(pending.count - pending.heldBack(for: markers)), &events)
            return false
        }
        give(pending.take(stop), &events)
        if marker == Self.end { pending.drop(marker.utf8.count) }
        place = .between
        return true
    }

    private mutating func give(_ text: String, _ events: inout [ReasoningEvent]) {
        events.add(.reasoning(text))
        if options.needsContent { given += text }
    }

    mutating func finish() -> [ReasoningEvent] {
        var events: [ReasoningEvent] = []
        let rest = pending.takeAll()
        switch place {
        case .opening, .thinking: events.add(options.needsContent ? .content(given + rest) : .reasoning(rest))
        case .text, .action: events.add(.content(rest))
        case .between, .after: break
        }
        place = .after
        return events
    }

    func parse(_ text: String) -> ReasoningAnswer {
        var stream = CohereReasoning(ReasoningOptions())
        var answer = ReasoningAnswer()
        for event in stream.feed(text) + stream.finish() {
            switch event {
            case .reasoning(let text): answer.reasoning += text
            case .content(let text): answer.content += text
            }
        }
        if options.needsContent, answer.content.isEmpty { answer = ReasoningAnswer(content: answer.reasoning) }
        return answer
    }
}

extension PendingText {
    /// The marker that stands first, and where.
    func first(of markers: [String]) -> (String, Int)? {
        markers.compactMap { marker in place(of: marker).map { (marker, $0) } }.min { $0.1 < $1.1 }
    }
}
