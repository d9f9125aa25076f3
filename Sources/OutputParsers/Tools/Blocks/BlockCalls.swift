/// Calls in blocks that are understood as a whole: each block's calls are given once it is closed.
struct BlockCalls: PendingCalls {
    /// What tells the formats of this kind apart.
    struct Style: Sendable {
        /// What becomes of something that is no call.
        enum Fate: Sendable {
            case dropped, text
            /// Text as long as no block is one of calls.
            case textWithoutCalls
        }

        /// What ends the content, where that is not the first block.
        var section: String?
        let open: String
        let close: String
        /// What text behind a block is.
        var textBehind = Fate.dropped
        /// What ends the section.
        var endOfSection: String?
        /// What follows the section; where that is text, a section without an end is text in a whole answer.
        var behindSection = Fate.text
        /// Whether blocks behind the first count.
        var hasSeveral = true
        /// What a block without an end is: read as one with an end, or not.
        var readsUnclosed = false
        var unclosed = Fate.dropped
        /// What a block is that the reader gives nil for.
        var broken = Fate.dropped
        /// Whether a whole answer's content is trimmed.
        var trims = false
        /// Whether `/parse_function_call` shows the call's number rather than the tool's place.
        var hasOrdinals = false
        /// A line break in front of the first block that goes with it.
        var lead = ""
        /// What stands around the content and goes.
        var wrappers: [String] = []
        /// What a whole answer's content loses, after what was made of it.
        var finishing: (@Sendable (ToolCallAnswer, String) -> ToolCallAnswer)?
        /// The calls of a block.
        let read: @Sendable (String, ToolTable) -> [ToolCall]?
    }

    private enum Place: Sendable {
        case text, block
        /// Behind the section.
        case after
        /// Where nothing counts any more.
        case over
    }

    private let style: Style
    private let tools: ToolTable
    private var place = Place.text
    var pending = PendingText()
    var log = CallLog()
    private var isInSection = false
    /// How much of a block was searched for its end.
    private var searched = 0
    private var hasClosed = false
    /// What a section has said while none of its blocks is closed.
    private var raw = ""
    /// The calls that were given.
    private var calls: [ToolCall] = []
    /// Text between blocks, until it is known what it is.
    private var between = ""
    /// A block was one of calls.
    private var hasRead = false

    init(_ style: Style, _ tools: ToolTable) {
        self.style = style
        self.tools = tools
    }

    var isCallOpen: Bool { false }

    // MARK: In pieces

    mutating func advance() -> Bool {
        switch place {
        case .text: return advanceText()
        case .block: return advanceBlock()
        case .after:
            log.content(pending.takeAll())
            return false
        case .over:
            pending.drop(pending.count)
            return false
        }
    }

    private mutating func advanceText() -> Bool {
        let markers =
            isInSection ? [style.open] + (style.endOfSection.map { [$0] } ?? []) : openings + style.wrappers
        guard let (marker, start) = pending.first(of: markers) else {
            say(pending.take(pending.count - pending.heldBack(for: markers)))
            return false
        }
        say(pending.take(start))
        pending.drop(marker.utf8.count)
        if !isInSection, style.wrappers.contains(marker) { return true }
        keep(marker)
        if isInSection, marker == style.endOfSection {
            place = style.behindSection == .text ? .after : .over
        } else {
            if isInSection || style.section == nil { place = .block }
            isInSection = true
            searched = 0
        }
        return true
    }

    private func isText(_ fate: Style.Fate) -> Bool { fate == .text || (fate == .textWithoutCalls && !hasRead) }

    /// What may end the content.
    private var openings: [String] {
        let marker = style.section ?? style.open
        return style.lead.isEmpty ? [marker] : [style.lead + marker, marker]
    }

    /// Keeps what a section that may turn out to be text has said.
    private mutating func keep(_ text: String) {
        if style.section != nil, style.unclosed == .text, !hasClosed { raw += text }
    }

    /// Text outside of blocks.
    private mutating func say(_ text: String) {
        if isInSection { keep(text) }
        if !isInSection || (style.textBehind == .text && style.section == nil) {
            log.content(text)
        } else if isText(style.broken) {
            between += text
        }
    }

    private mutating func advanceBlock() -> Bool {
        guard let end = pending.place(of: style.close, from: searched) else {
            searched = max(0, pending.count - style.close.utf8.count + 1)
            return false
        }
        let block = pending.take(end)
        pending.drop(style.close.utf8.count)
        hasClosed = true
        raw = ""
        read(block, close: style.close)
        place = style.hasSeveral ? .text : .over
        return true
    }

    private mutating func read(_ block: String, close: String) {
        if let calls = style.read(block, tools) {
            hasRead = true
            self.calls += calls
            for call in calls {
                log.call(call.name)
                log.arguments(call.arguments)
            }
        } else if isText(style.broken) {
            log.content(between + style.open + block + close)
        }
        between = ""
    }

    mutating func finish() -> [ToolCallEvent] {
        let rest = pending.takeAll()
        if place != .after, place != .over, style.section != nil, style.unclosed == .text, isInSection, !hasClosed {
            log.content(raw + rest)
            return log.take()
        }
        switch place {
        case .text:
            if style.wrappers.isEmpty || !KimiChannel.isCutMark(rest) { say(rest) }
            if style.textBehind == .textWithoutCalls, !hasRead { log.content(between) }
        case .after: log.content(rest)
        case .over: break
        case .block:
            if style.readsUnclosed {
                read(rest, close: "")
            } else if isText(style.unclosed) {
                log.content(between + style.open + rest)
            }
        }
        return log.take()
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        if style.behindSection == .text, let section = style.section, let end = style.endOfSection,
            let (_, rest) = text.split(at: section),
            !rest.holds(end)
        {
            return ToolCallAnswer(content: text)
        }
        var stream = BlockCalls(style, tools)
        let hasBlocks = text.holds(style.section ?? style.open) || !style.wrappers.isEmpty
        var answer = hasBlocks ? ToolCallAnswer(content: "") : ToolCallAnswer(content: text)
        if hasBlocks {
            for case .content(let piece) in stream.feed(text) + stream.finish() { answer.content += piece }
            if style.trims { answer.content = answer.content.stripped }
        }
        answer.calls = stream.calls.enumerated().map { place, call in
            let index = style.hasOrdinals ? place : call.toolIndex
            return ToolCall(name: call.name, arguments: call.arguments, toolIndex: index)
        }
        return style.finishing?(answer, text) ?? answer
    }
}
