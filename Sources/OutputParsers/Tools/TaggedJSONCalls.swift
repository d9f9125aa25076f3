/// Calls written as JSON objects, each in a block of its own between two markers.
struct TaggedJSONCalls: PendingCalls {
    /// What tells the formats of this kind apart.
    struct Style: Sendable {
        let open: String
        let close: String
        /// A last block that is not closed counts if its JSON is complete; an answer with a broken block is text.
        let isLenient: Bool
        /// An answer in which no block is closed is text.
        var needsClose = false
    }

    private enum Place: Sendable {
        case text
        /// In a block, of which so many bytes are read.
        case block(CallListReader, read: Int)
        /// Behind the JSON of a block, or in a broken one.
        case rest
        /// Where all that comes is text.
        case broken
    }

    private let style: Style
    private let tools: ToolTable
    private var place = Place.text
    var pending = PendingText()
    var log = CallLog()
    private var hasBlocks = false
    private(set) var isCallOpen = false

    init(_ style: Style, _ tools: ToolTable) {
        self.style = style
        self.tools = tools
    }

    // MARK: In pieces

    mutating func advance() -> Bool {
        switch place {
        case .text:
            let open = pending.place(of: style.open)
            let text = pending.take(open ?? pending.count - pending.heldBack(for: style.open))
            // What stands behind a block goes the way of the markers, as in a whole answer.
            if !hasBlocks { log.content(text) }
            guard open != nil else { return false }
            pending.drop(style.open.utf8.count)
            hasBlocks = true
            place = .block(CallListReader(), read: 0)
            return true
        case .block(let reader, let read):
            return advance(reader, read)
        case .rest:
            guard let close = pending.place(of: style.close) else {
                pending.drop(pending.count - pending.heldBack(for: style.close))
                return false
            }
            pending.drop(close + style.close.utf8.count)
            place = .text
            return true
        case .broken:
            log.content(pending.takeAll())
            return false
        }
    }

    private mutating func advance(_ reader: CallListReader, _ read: Int) -> Bool {
        if style.isLenient, read == 0 {
            if pending.isBeginning(of: style.close) { return false }
            if pending.begins(with: style.close) {
                place = .rest
                return true
            }
        }
        var reader = reader
        place = .text
        let calls = log.count
        let (end, progress) = reader.feed(pending, from: read, tools, &log)
        hasCallInBlock = hasCallInBlock && read > 0 || log.count > calls
        isCallOpen = reader.isOpen
        switch progress {
        case .more:
            place = .block(reader, read: end)
            return false
        case .done:
            pending.drop(end)
            place = .rest
        case .failed where style.isLenient:
            breakOff(at: end - 1)
        case .failed:
            // The end marker may begin in front of the byte that broke the JSON.
            pending.drop(max(0, end - style.close.utf8.count))
            place = .rest
        }
        return true
    }

    /// Whether a call of this block was given.
    private var hasCallInBlock = false

    /// Makes a broken block, as far as none of it was given, and all that follows it text.
    private mutating func breakOff(at end: Int) {
        if hasCallInBlock { pending.drop(end) } else { log.content(style.open) }
        place = .broken
    }

    mutating func finish() -> [ToolCallEvent] {
        switch place {
        case .text:
            if !hasBlocks { log.content(pending.takeAll()) }
        case .block(_, let read):
            if style.isLenient ? !pending.isEmpty : style.needsClose && log.count == 0 { breakOff(at: read) }
        case .rest, .broken: break
        }
        if case .broken = place { log.content(pending.takeAll()) }
        return log.take()
    }

    // MARK: As a whole

    func parse(_ text: String) -> ToolCallAnswer {
        var rest = PendingText(text)
        guard let first = rest.place(of: style.open) else { return ToolCallAnswer(content: text) }
        var answer = ToolCallAnswer(content: rest.text(0..<first).stripped)
        var hasClosed = false
        while let open = rest.place(of: style.open) {
            rest.drop(open + style.open.utf8.count)
            let close = rest.place(of: style.close)
            if close == nil, !style.isLenient {
                if style.needsClose, !hasClosed { return ToolCallAnswer(content: text) }
                break
            }
            hasClosed = true
            let block = rest.take(close ?? rest.count)
            rest.drop(close == nil ? 0 : style.close.utf8.count)
            if style.isLenient, block.utf8.isEmpty { continue }
            if let calls = calls(of: block) {
                answer.calls += calls
            } else if style.isLenient {
                return ToolCallAnswer(content: text)
            }
        }
        return answer
    }

    /// The calls of a block to tools that there are; nil where it is broken.
    private func calls(of block: String) -> [ToolCall]? {
        switch JSONReader.value(of: block.stripped) {
        case .dict(let dict)?: return tools.call(of: .dict(dict)).map { [$0] } ?? []
        case .list(let list)?:
            guard list.allSatisfy({ if case .dict = $0 { true } else { false } }) else { return nil }
            return list.compactMap(tools.call)
        default: return nil
        }
    }
}
