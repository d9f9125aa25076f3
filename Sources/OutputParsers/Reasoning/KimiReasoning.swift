/// Kimi K3: thoughts, the answer and calls of tools in channels; what stands around the answer goes, the calls stay as they are.
struct KimiReasoning: PendingReasoning {
    private enum Place: Sendable {
        case opening, thinking, content
        /// In the calls and behind them.
        case tools
    }

    private let options: ReasoningOptions
    private var place = Place.opening
    private var isForced: Bool
    var pending = PendingText()
    /// What was given as thinking, which is the answer where the model turns out not to have thought.
    private var given = ""
    /// The end of a thinking part may still come, though the answer was without one.
    private var hasSkipped = false

    init(_ options: ReasoningOptions) {
        self.options = options
        isForced = options.isForced ?? true
        if options.prefix.utf8.contains(KimiChannel.think.open) { isForced = true }
        if options.prefix.utf8.contains(KimiChannel.think.close) {
            isForced = false
            place = .content
        }
    }

    // MARK: In pieces

    mutating func advance(_ events: inout [ReasoningEvent]) -> Bool {
        switch place {
        case .opening:
            let open = KimiChannel.think.open
            if pending.isBeginning(of: open) { return false }
            let begins = pending.begins(with: open)
            if begins { pending.drop(open.utf8.count) }
            place = begins || isForced ? .thinking : .content
            return true
        case .thinking: return advanceThinking(&events)
        case .content: return advanceContent(&events)
        case .tools:
            events.add(.content(pending.takeAll()))
            return false
        }
    }

    /// What ends the thinking, or shows that there is none.
    private var ends: [String] {
        [KimiChannel.think.close, KimiChannel.response.open, KimiChannel.tools.open] + skips
    }

    private var skips: [String] {
        [KimiChannel.response.close] + (options.needsContent ? [KimiChannel.message.close] : [])
    }

    private mutating func advanceThinking(_ events: inout [ReasoningEvent]) -> Bool {
        guard let (marker, stop) = pending.first(of: ends) else {
            guard options.streams else { return false }
            give(pending.take(pending.count - pending.heldBack(for: ends)), &events)
            return false
        }
        place = .content
        if skips.contains(marker) {
            hasSkipped = true
            // What was told as thinking is told again as the answer that it is.
            if options.streams { give(pending.take(stop), &events) }
            events.add(.content(given))
            return true
        }
        give(pending.take(stop), &events)
        if marker == KimiChannel.think.close { pending.drop(marker.utf8.count) }
        return true
    }

    private mutating func give(_ text: String, _ events: inout [ReasoningEvent]) {
        events.add(.reasoning(text))
        given += text
    }

    private mutating func advanceContent(_ events: inout [ReasoningEvent]) -> Bool {
        let gone = KimiChannel.wrappers + (hasSkipped ? [KimiChannel.think.close] : [])
        let markers = gone + [KimiChannel.tools.open]
        guard let (marker, start) = pending.first(of: markers) else {
            events.add(.content(pending.take(pending.count - pending.heldBack(for: markers))))
            return false
        }
        events.add(.content(pending.take(start)))
        if marker == KimiChannel.tools.open { place = .tools } else { pending.drop(marker.utf8.count) }
        return true
    }

    mutating func finish() -> [ReasoningEvent] {
        var events: [ReasoningEvent] = []
        var rest = pending.takeAll()
        if place != .tools, let cut = Self.cutMark(of: rest) { rest = cut }
        events.add(place == .thinking || (place == .opening && isForced) ? .reasoning(rest) : .content(rest))
        place = .tools
        return events
    }

    /// A text without the mark that it was cut off in; nil where it was not.
    private static func cutMark(of text: String) -> String? {
        guard let (before, mark) = text.split(atLast: "<|open|>").map({ ($0.before, "<|open|>" + $0.after) }),
            KimiChannel.isCutMark(mark)
        else {
            return text.split(atLast: "<|close|>").flatMap {
                KimiChannel.isCutMark("<|close|>" + $0.after) ? $0.before : nil
            }
        }
        return before
    }

    // MARK: As a whole

    func parse(_ text: String) -> ReasoningAnswer {
        // Thinking that is held until it ends is not told twice.
        var held = options
        held.streams = false
        // A thinking part that is closed was open.
        if text.utf8.contains(KimiChannel.think.close) { held.isForced = true }
        var stream = KimiReasoning(held)
        var answer = ReasoningAnswer()
        for event in stream.feed(text) + stream.finish() {
            switch event {
            case .reasoning(let text): answer.reasoning += text
            case .content(let text): answer.content += text
            }
        }
        return answer
    }
}
