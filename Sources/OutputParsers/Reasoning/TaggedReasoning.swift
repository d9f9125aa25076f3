/// Thinking between two markers, as most models write it.
struct TaggedReasoning: PendingReasoning {
    /// The markers of a family.
    struct Markers: Sendable, Equatable {
        let start: String
        let end: String
        /// A marker of tool calls that ends the thinking part where its own end marker is missing.
        var tool: String?
        /// What tells that a whole answer thinks, where that is not the whole opening marker.
        var sign: String?
    }

    private enum Place: Sendable {
        /// At the beginning, or behind an opening marker: further ones are dropped.
        case opening
        /// In an answer that has not begun to think.
        case before
        case inside
        /// Behind the thinking part, which does not come again.
        case after
    }

    private let markers: Markers
    private let options: ReasoningOptions
    private var isForced: Bool
    private var place = Place.opening
    var pending = PendingText()
    /// What was given as reasoning, where it may become content in the end.
    private var given = ""

    init(_ markers: Markers, forced: Bool, _ options: ReasoningOptions) {
        self.markers = markers
        self.options = options
        isForced = forced
        if options.prefix.utf8.contains(markers.start) { isForced = true }
        if options.prefix.utf8.contains(markers.end) {
            isForced = false
            place = .before
        }
    }

    /// Whether what comes next counts as thinking.
    var isThinking: Bool { place == .inside || (place == .opening && isForced) }

    // MARK: In pieces

    mutating func advance(_ events: inout [ReasoningEvent]) -> Bool {
        switch place {
        case .opening:
            if pending.begins(with: markers.start) {
                isForced = true
                pending.drop(markers.start.utf8.count)
                return true
            }
            if pending.isBeginning(of: markers.start) { return false }
            place = isForced ? .inside : .before
            return true
        case .before:
            guard let start = pending.place(of: markers.start) else {
                events.add(.content(pending.take(pending.count - pending.heldBack(for: markers.start))))
                return false
            }
            events.add(.content(pending.take(start)))
            place = .opening
            return true
        case .inside:
            return advanceInside(&events)
        case .after:
            events.add(.content(pending.takeAll()))
            return false
        }
    }

    private mutating func advanceInside(_ events: inout [ReasoningEvent]) -> Bool {
        let end = pending.place(of: markers.end)
        let tool = markers.tool.flatMap { pending.place(of: $0) }
        guard let stop = [end, tool].compactMap(\.self).min() else {
            guard options.streams else { return false }
            let held = pending.heldBack(for: [markers.end] + (markers.tool.map { [$0] } ?? []))
            give(pending.take(pending.count - held), &events)
            return false
        }
        give(pending.take(stop), &events)
        if stop == end { pending.drop(markers.end.utf8.count) }
        place = .after
        return true
    }

    private mutating func give(_ reasoning: String, _ events: inout [ReasoningEvent]) {
        events.add(.reasoning(reasoning))
        if options.needsContent { given += reasoning }
    }

    mutating func finish() -> [ReasoningEvent] {
        var events: [ReasoningEvent] = []
        let rest = pending.takeAll()
        if isThinking {
            events.add(options.needsContent ? .content(given + rest) : .reasoning(rest))
        } else {
            events.add(.content(rest))
        }
        place = .after
        return events
    }

    // MARK: As a whole

    func parse(_ text: String) -> ReasoningAnswer {
        var answer = separate(text)
        if options.needsContent, answer.content.isEmpty {
            answer = ReasoningAnswer(content: answer.reasoning)
        }
        return answer
    }

    private func separate(_ text: String) -> ReasoningAnswer {
        var rest = PendingText(text)
        guard isForced || rest.place(of: markers.sign ?? markers.start) != nil else {
            return ReasoningAnswer(content: text)
        }
        while rest.begins(with: markers.start) { rest.drop(markers.start.utf8.count) }
        if let end = rest.place(of: markers.end) {
            let reasoning = rest.take(end)
            rest.drop(markers.end.utf8.count)
            return ReasoningAnswer(reasoning: reasoning, content: rest.text)
        }
        if options.prefix.utf8.contains(markers.end) { return ReasoningAnswer(content: rest.text) }
        if let tool = markers.tool.flatMap({ rest.place(of: $0) }) {
            let reasoning = rest.take(tool)
            return ReasoningAnswer(reasoning: reasoning, content: rest.text)
        }
        return ReasoningAnswer(reasoning: rest.text)
    }
}

extension String.UTF8View {
    /// Whether the bytes of a marker stand anywhere in these.
    func contains(_ marker: String) -> Bool {
        PendingText(String(self)).place(of: marker) != nil
    }
}
