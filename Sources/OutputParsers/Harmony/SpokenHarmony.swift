/// Harmony whose markers were left out as special tokens: `analysis…assistantfinal…`.
struct SpokenHarmony: Sendable {
    private enum Place: Sendable {
        case opening, thinking, between, saying
    }

    private var place = Place.opening
    private var pending = PendingText()
    private var isReasoning = true

    private static let final = "assistantfinal"
    private static let channels = ["analysis", "commentary"]

    init() {}

    /// Whether a text begins so; nil where that is not certain yet.
    static func begins(_ text: PendingText) -> Bool? {
        var rest = text
        skipSpace(&rest)
        if rest.isEmpty { return nil }
        let openings = channels + [final] + channels.map { "assistant" + $0 }
        let lower = rest.lowered
        if openings.contains(where: { lower.begins(with: $0) }) { return true }
        return openings.contains { lower.isBeginning(of: $0) } ? nil : false
    }

    mutating func feed(_ delta: String) -> [ReasoningEvent] {
        pending.append(delta)
        var events: [ReasoningEvent] = []
        while advance(&events) {}
        return events
    }

    mutating func finish() -> [ReasoningEvent] {
        var events: [ReasoningEvent] = []
        if place == .thinking { give(pending.takeAll(), &events) }
        if place == .saying { events.add(.content(pending.takeAll())) }
        return events
    }

    private mutating func give(_ text: String, _ events: inout [ReasoningEvent]) {
        events.add(isReasoning ? .reasoning(text) : .content(text))
    }

    private mutating func advance(_ events: inout [ReasoningEvent]) -> Bool {
        switch place {
        case .opening:
            Self.skipSpace(&pending)
            let lower = pending.lowered
            if lower.begins(with: Self.final) {
                place = .thinking
                return true
            }
            if lower.begins(with: "assistant") { pending.drop("assistant".utf8.count) }
            isReasoning = pending.lowered.begins(with: Self.channels[0])
            pending.drop((isReasoning ? Self.channels[0] : Self.channels[1]).utf8.count)
            place = .thinking
            return true
        case .thinking:
            guard let end = pending.lowered.place(of: Self.final) else {
                let held = pending.lowered.heldBack(for: Self.final)
                give(pending.take(pending.count - held - spaces(before: pending.count - held)), &events)
                return false
            }
            give(pending.take(end - spaces(before: end)), &events)
            pending.drop(spacesAtFront + Self.final.utf8.count)
            place = .between
            return true
        case .between:
            Self.skipSpace(&pending)
            if pending.isEmpty { return false }
            place = .saying
            return true
        case .saying:
            events.add(.content(pending.takeAll()))
            return false
        }
    }

    /// How much space stands in front of a place.
    private func spaces(before end: Int) -> Int {
        var count = 0
        while count < end, JSONPrinter.isSpace(pending[end - count - 1]) { count += 1 }
        return count
    }

    private var spacesAtFront: Int {
        var count = 0
        while count < pending.count, JSONPrinter.isSpace(pending[count]) { count += 1 }
        return count
    }

    private static func skipSpace(_ text: inout PendingText) {
        while !text.isEmpty, JSONPrinter.isSpace(text[0]) { text.drop(1) }
    }
}
