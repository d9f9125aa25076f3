/// gpt-oss: the channel `analysis` is the thinking; a message to a tool stays as it is, for the tool call parser.
struct HarmonyReasoning: ReasoningFormat {
    private var reader = HarmonyReader()
    private var spoken: SpokenHarmony?
    private var isDecided = false
    private var pending = PendingText()
    private let options: ReasoningOptions
    /// Thinking that is held until it has ended.
    private var held = ""
    private var given = ""
    private var hasContent = false

    init(_ options: ReasoningOptions) { self.options = options }

    mutating func feed(_ delta: String) -> [ReasoningEvent] {
        var events: [ReasoningEvent] = []
        if !isDecided {
            pending.append(delta)
            guard let isSpoken = SpokenHarmony.begins(pending) else { return [] }
            isDecided = true
            if isSpoken { spoken = SpokenHarmony() }
            add(spoken?.feed(pending.takeAll()) ?? pieces(reader.feed(pending.takeAll())), to: &events)
        } else {
            add(spoken?.feed(delta) ?? pieces(reader.feed(delta)), to: &events)
        }
        return events
    }

    mutating func finish() -> [ReasoningEvent] {
        var events: [ReasoningEvent] = []
        if !isDecided { add(pieces(reader.feed(pending.takeAll())), to: &events) }
        add(spoken?.finish() ?? pieces(reader.finish()), to: &events)
        events.add(.reasoning(held))
        held = ""
        if options.needsContent, !hasContent { events = [.content(given)] }
        return events
    }

    private func pieces(_ pieces: [HarmonyReader.Piece]) -> [ReasoningEvent] {
        pieces.map { piece in
            switch piece {
            case .reasoning(let text): .reasoning(text)
            case .text(let text, _): .content(text)
            case .call(let raw, _, _): .content(raw)
            }
        }
    }

    private mutating func add(_ pieces: [ReasoningEvent], to events: inout [ReasoningEvent]) {
        for piece in pieces {
            switch piece {
            case .reasoning(let text):
                given += options.needsContent ? text : ""
                if options.streams { events.add(piece) } else { held += text }
            case .content:
                hasContent = true
                events.add(.reasoning(held))
                held = ""
                events.add(piece)
            }
        }
    }

    func parse(_ text: String) -> ReasoningAnswer {
        var stream = HarmonyReasoning(ReasoningOptions())
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
