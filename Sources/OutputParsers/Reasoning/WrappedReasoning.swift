/// Granite: line breaks in front of what follows the thinking part are dropped.
struct GraniteReasoning: ReasoningFormat {
    private var inner: TaggedReasoning
    private let options: ReasoningOptions
    private var hasReasoned: Bool
    private var hasContent = false

    init(_ markers: TaggedReasoning.Markers, _ options: ReasoningOptions) {
        var inside = options
        inside.needsContent = false
        self.options = options
        inner = TaggedReasoning(markers, forced: options.isForced ?? false, inside)
        hasReasoned = options.isForced ?? false
    }

    private var given = ""

    mutating func feed(_ delta: String) -> [ReasoningEvent] { trimmed(inner.feed(delta)) }

    mutating func finish() -> [ReasoningEvent] {
        let isThinking = inner.isThinking
        let events = trimmed(inner.finish())
        return options.needsContent && isThinking ? [.content(given)] : events
    }

    private mutating func trimmed(_ events: [ReasoningEvent]) -> [ReasoningEvent] {
        var result: [ReasoningEvent] = []
        for event in events {
            switch event {
            case .reasoning(let text):
                hasReasoned = true
                if options.needsContent { given += text }
                result.add(event)
            case .content(let text):
                let rest = hasReasoned && !hasContent ? text.withoutLeadingLineBreaks : text
                hasContent = hasContent || !rest.utf8.isEmpty
                result.add(.content(rest))
            }
        }
        return result
    }

    func parse(_ text: String) -> ReasoningAnswer {
        var answer = inner.parse(text)
        let isEmpty = answer.content.utf8.isEmpty
        if text.utf8.contains("</think>") { answer.content = answer.content.withoutLeadingLineBreaks }
        if options.needsContent, isEmpty { answer = ReasoningAnswer(content: answer.reasoning) }
        return answer
    }
}

/// MiniMax-M3: an answer that does not think may begin with a closing marker, which is dropped.
struct StrayEndReasoning: ReasoningFormat {
    private var inner: TaggedReasoning
    private let end: String
    private var pending = PendingText()
    private var isLooking: Bool

    init(_ markers: TaggedReasoning.Markers, _ options: ReasoningOptions) {
        inner = TaggedReasoning(markers, forced: options.isForced ?? false, options)
        end = markers.end
        isLooking = !inner.isThinking
    }

    mutating func feed(_ delta: String) -> [ReasoningEvent] {
        guard isLooking else { return inner.feed(delta) }
        pending.append(delta)
        let spaces = pending.spaces
        if pending.isBeginning(of: end, at: spaces) { return [] }
        isLooking = false
        if pending.begins(with: end, at: spaces) { pending.drop(spaces + end.utf8.count) }
        return inner.feed(pending.takeAll())
    }

    mutating func finish() -> [ReasoningEvent] {
        var events = inner.feed(pending.takeAll())
        for event in inner.finish() { events.add(event) }
        return events
    }

    func parse(_ text: String) -> ReasoningAnswer {
        var rest = PendingText(text)
        if !inner.isThinking, rest.begins(with: end, at: rest.spaces) { rest.drop(rest.spaces + end.utf8.count) }
        return inner.parse(rest.text)
    }
}

/// MiniMax: the opening marker, which the prompt holds, is put in front of the answer, all of which stays content.
struct OpenedReasoning: ReasoningFormat {
    let start: String
    private var hasBegun = false

    init(start: String) { self.start = start }

    mutating func feed(_ delta: String) -> [ReasoningEvent] {
        if delta.utf8.isEmpty { return [] }
        defer { hasBegun = true }
        return [.content(hasBegun ? delta : start + delta)]
    }

    mutating func finish() -> [ReasoningEvent] {
        defer { hasBegun = true }
        return hasBegun ? [] : [.content(start)]
    }

    func parse(_ text: String) -> ReasoningAnswer { ReasoningAnswer(content: start + text) }
}

extension String {
    /// The text without line feeds at its front.
    fileprivate var withoutLeadingLineBreaks: String {
        String(decoding: Array(utf8.drop { $0 == 0x0A }), as: UTF8.self)
    }
}

extension PendingText {
    /// How many bytes of ASCII space stand at the front.
    fileprivate var spaces: Int {
        var place = 0
        while place < count, 0x09...0x0D ~= self[place] || self[place] == 0x20 { place += 1 }
        return place
    }
}

/// Ling 3: a whole answer that only thinks is an answer.
struct LingReasoning: ReasoningFormat {
    private var inner: TaggedReasoning
    private let markers: TaggedReasoning.Markers

    init(_ markers: TaggedReasoning.Markers, _ options: ReasoningOptions) {
        self.markers = markers
        inner = TaggedReasoning(markers, forced: options.isForced ?? false, options)
    }

    mutating func feed(_ delta: String) -> [ReasoningEvent] { inner.feed(delta) }

    mutating func finish() -> [ReasoningEvent] { inner.finish() }

    func parse(_ text: String) -> ReasoningAnswer {
        let answer = inner.parse(text)
        guard answer.content.utf8.isEmpty, !(markers.tool.map(text.utf8.contains) ?? false) else { return answer }
        return ReasoningAnswer(content: answer.reasoning)
    }
}
