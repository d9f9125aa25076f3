/// Takes tags out of a text that comes in pieces.
struct TagFilter: Sendable {
    private let tags: [String]
    private var pending = PendingText()

    init(_ tags: [String]) { self.tags = tags }

    /// The text that is certain now.
    mutating func feed(_ delta: String) -> String {
        pending.append(delta)
        var text = ""
        while let (tag, place) = pending.first(of: tags) {
            text += pending.take(place)
            pending.drop(tag.utf8.count)
        }
        return text + pending.take(pending.count - pending.heldBack(for: tags))
    }

    /// What was held back.
    mutating func finish() -> String { pending.takeAll() }
}

/// A format whose text has tags that are taken out first; what stands between them stays.
struct FilteredCalls: ToolCallFormat {
    private var inner: any ToolCallFormat
    private var filter: TagFilter
    private let tags: [String]

    init(_ inner: any ToolCallFormat, without tags: [String]) {
        self.inner = inner
        self.tags = tags
        filter = TagFilter(tags)
    }

    var isCallOpen: Bool { inner.isCallOpen }

    mutating func feed(_ delta: String) -> [ToolCallEvent] { inner.feed(filter.feed(delta)) }

    mutating func finish() -> [ToolCallEvent] { inner.feed(filter.finish()) + inner.finish() }

    func parse(_ text: String) -> ToolCallAnswer {
        let filtered = text.removingAll(tags)
        return filtered.holds("<tool_call>\n") ? inner.parse(filtered) : ToolCallAnswer(content: text)
    }
}
