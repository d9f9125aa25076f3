/// gpt-oss: a call is a message to a tool; what is thought is left out.
struct HarmonyCalls: ToolCallFormat {
    private let tools: ToolTable
    private var reader = HarmonyReader()
    private var log = CallLog()

    init(_ tools: ToolTable) { self.tools = tools }

    var isCallOpen: Bool { false }

    mutating func feed(_ delta: String) -> [ToolCallEvent] {
        for piece in reader.feed(delta) { add(piece) }
        return log.take()
    }

    mutating func finish() -> [ToolCallEvent] {
        for piece in reader.finish() { add(piece) }
        return log.take()
    }

    private mutating func add(_ piece: HarmonyReader.Piece) {
        switch piece {
        case .reasoning: break
        case .text(let text, _): log.content(text)
        case .call(_, let header, let body):
            guard let call = call(header, body, ordinal: log.count) else { return }
            log.call(call.name)
            log.arguments(call.arguments)
        }
    }

    /// The call of a message; nil where no tool has that name or the arguments are broken.
    private func call(_ header: HarmonyHeader, _ body: String, ordinal: Int) -> ToolCall? {
        guard let tool = header.tool, tools.place(of: tool) != nil else { return nil }
        let value = body.stripped.isEmpty ? .dict(PythonDict()) : JSONReader.value(of: body)
        return value.map { ToolCall(name: tool, arguments: $0.json, toolIndex: ordinal) }
    }

    func parse(_ text: String) -> ToolCallAnswer {
        let bytes = PendingText(text)
        guard bytes.place(of: "<|channel|>commentary") != nil else { return ToolCallAnswer(content: text) }
        var reader = HarmonyReader()
        var answer = ToolCallAnswer(content: "")
        for piece in reader.feed(text) + reader.finish() {
            switch piece {
            case .reasoning: break
            case .text(let text, let isFirst):
                if isFirst, !answer.content.isEmpty { answer.content += " " }
                answer.content += text
            case .call(_, let header, let body):
                if let call = call(header, body, ordinal: answer.calls.count) { answer.calls.append(call) }
            }
        }
        answer.content = answer.content.stripped
        return answer
    }
}
