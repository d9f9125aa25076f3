import OutputParsers
import Testing

@Suite struct TaggedJSONCallsTests {
    @Test func qwenGivesTheTextInFrontAndTheArgumentsAsPythonPrintsThem() throws {
        let parser = try ToolCallParser.named("qwen", tools: [.init(name: "nope"), .init(name: "add")])
        let text =
            "Sure.\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\":1,\"b\":[2,\"\\u00fc\"]}}\n</tool_call>"
        let call = ToolCall(name: "add", arguments: "{\"a\": 1, \"b\": [2, \"ü\"]}", toolIndex: 1)
        #expect(parser.parse(text) == ToolCallAnswer(content: "Sure.", calls: [call]))
    }
}
