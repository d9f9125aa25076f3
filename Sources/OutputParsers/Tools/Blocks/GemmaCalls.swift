/// Gemma 4: `call:name{key:value,…}`, with texts between `<|"|>`.
enum GemmaCalls {
    /// What stands around a call.
    static let (open, close) = ("<|tool_call>", "<tool_call|>")

    /// The call of a block; nil where it is none.
    static func calls(_ block: String, _ tools: ToolTable) -> [ToolCall]? {
        guard let (name, arguments) = parts(of: block) else { return nil }
        return [tools.call(name, arguments)].compactMap(\.self)
    }

    private static func parts(of block: String) -> (name: String, arguments: PythonDict)? {
        guard block.utf8.starts(with: "call:".utf8), let (name, body) = block.removing(prefix: "call:").split(at: "{")
        else { return nil }
        return (name, GemmaArguments.members(of: body))
    }

    /// The content of a whole answer: what stands in front of the first block, or all of it where no block is a call.
    static func finish(_ answer: ToolCallAnswer, _ text: String) -> ToolCallAnswer {
        let hasCalls = text.enclosed(by: open, close).contains { parts(of: $0) != nil }
        return ToolCallAnswer(content: hasCalls ? text.split(at: open)?.before ?? "" : text, calls: answer.calls)
    }
}

/// Reads arguments as Gemma 4 writes them.
struct GemmaArguments {
    private static let quote = Array("<|\"|>".utf8)

    private let bytes: ArraySlice<UInt8>
    private var place: Int
    private let depth: Int

    private init(_ bytes: ArraySlice<UInt8>, depth: Int) {
        self.bytes = bytes
        self.depth = depth
        place = bytes.startIndex
    }

    /// The members up to the brace that ends them, or to the end of the text.
    static func members(of body: String) -> PythonDict {
        // The brace that stood in front of the body is put back, so that its end is found as any other's.
        var reader = GemmaArguments(Array("{\(body)".utf8)[...], depth: 0)
        guard case .dict(let members) = reader.value(endingAt: "") else { return PythonDict() }
        return members
    }

    private var isAtEnd: Bool { place == bytes.endIndex }

    private mutating func members() -> PythonDict {
        var dict = PythonDict()
        while true {
            skip(" ,\n\t")
            guard let colon = bytes[place...].firstIndex(of: UInt8(ascii: ":")) else { return dict }
            let key = text(place..<colon).stripped
            place = colon + 1
            skip(" \n\t")
            dict[key] = isAtEnd ? .string("") : value(endingAt: ",}]")
        }
    }

    private mutating func elements() -> [PythonValue] {
        var list: [PythonValue] = []
        while true {
            // A bracket that closes nothing is passed over.
            skip(" ,\n\t]")
            if isAtEnd { return list }
            list.append(value(endingAt: ",]"))
        }
    }

    private mutating func value(endingAt ends: String) -> PythonValue {
        if bytes[place...].starts(with: Self.quote) {
            let start = place + Self.quote.count
            skipText()
            let hasEnd =
                place - Self.quote.count >= start
                && bytes[start..<place].suffix(Self.quote.count).elementsEqual(Self.quote)
            return .string(text(start..<(hasEnd ? place - Self.quote.count : place)))
        }
        if bytes[place] == UInt8(ascii: "{"), depth < JSONPrinter.maximumDepth {
            var inner = GemmaArguments(enclosed(UInt8(ascii: "{"), UInt8(ascii: "}")), depth: depth + 1)
            return .dict(inner.members())
        }
        if bytes[place] == UInt8(ascii: "["), depth < JSONPrinter.maximumDepth {
            var inner = GemmaArguments(enclosed(UInt8(ascii: "["), UInt8(ascii: "]")), depth: depth + 1)
            return .list(inner.elements())
        }
        let start = place
        place = bytes[place...].firstIndex { ends.utf8.contains($0) } ?? bytes.endIndex
        return Self.bare(text(start..<place).stripped)
    }

    /// A word: a truth value, a number, or else text.
    private static func bare(_ text: String) -> PythonValue {
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case _ where text.holds("."): return PythonNumber.float(text).map(PythonValue.float) ?? .string(text)
        default: return PythonNumber.integer(text) ?? .string(text)
        }
    }

    /// What stands up to the bracket that closes the one here, or all that is left; texts do not count.
    private mutating func enclosed(_ open: UInt8, _ close: UInt8) -> ArraySlice<UInt8> {
        let start = place + 1
        var level = 0
        while !isAtEnd {
            if bytes[place...].starts(with: Self.quote) {
                skipText()
                continue
            }
            if bytes[place] == open { level += 1 }
            if bytes[place] == close { level -= 1 }
            place += 1
            if level == 0 { return bytes[start..<place - 1] }
        }
        return bytes[start...]
    }

    /// Goes behind the text that begins here, or to the end.
    private mutating func skipText() {
        place += Self.quote.count
        while !isAtEnd {
            if bytes[place...].starts(with: Self.quote) {
                place += Self.quote.count
                return
            }
            place += 1
        }
    }

    private mutating func skip(_ skipped: String) {
        while !isAtEnd, skipped.utf8.contains(bytes[place]) { place += 1 }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
