import OutputParsers
import Testing

/// Answers that a server of the reference with `--reasoning-parser qwen3 --tool-call-parser qwen` gave, thinking on.
@Suite struct EchoTests {
    private static let call =
        "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1, \"b\": [2, \"ü\"]}}\n</tool_call>"
    private static let arguments = "{\"a\": 1, \"b\": [2, \"ü\"]}"

    /// One answer, and what the client gets of it as a whole and as a stream.
    struct Answer: Sendable {
        let text: String
        let reasoning: String
        let content: String
        let streamedContent: String
        let calls: Int
    }

    @Test(arguments: [
        Answer(
            text: "<think>\nplan\n</think>\n\n\(call)", reasoning: "\nplan\n", content: "", streamedContent: "\n\n",
            calls: 1),
        Answer(text: "<think>plan \(call)", reasoning: "plan ", content: "", streamedContent: "", calls: 1),
        Answer(
            text: "plan</think>Here: \(call)\n\(call)", reasoning: "plan", content: "Here:", streamedContent: "Here: ",
            calls: 2),
        Answer(
            text: "<think>\na\n</think>\n\nJust text 🦙.", reasoning: "\na\n", content: "\n\nJust text 🦙.",
            streamedContent: "\n\nJust text 🦙.", calls: 0),
        Answer(text: call, reasoning: "", content: "", streamedContent: "", calls: 1),
    ])
    func thinkingAndCallsAreToldApartAsTheReferenceDoes(_ answer: Answer) throws {
        let reasoning = try ReasoningParser.named("qwen3", .init(isForced: true))
        let tools = try ToolCallParser.named("qwen", tools: [.init(name: "first_unused"), .init(name: "add")])
        let whole = reasoning.parse(answer.text)
        #expect(whole.reasoning == answer.reasoning)
        let found = tools.parse(whole.content)
        #expect(found.content == answer.content)
        let call = ToolCall(name: "add", arguments: Self.arguments, toolIndex: 1)
        #expect(found.calls == Array(repeating: call, count: answer.calls))
        for pieces in answer.text.halves {
            let thought = reasoning.streamed(pieces)
            #expect(thought.reasoning == answer.reasoning)
            let stream = tools.streamed(thought.content.scalars)
            #expect(stream.content == answer.streamedContent)
            #expect(stream.calls.map(\.arguments) == Array(repeating: Self.arguments, count: answer.calls))
        }
    }
}
