import OutputParsers
import Testing
import Values

/// Texts put together at random from what all the formats are made of.
@Suite struct FuzzTests {
    private static let parts = [
        "<tool_call>", "</tool_call>", "<tool_call>\n", "\n</tool_call>", "<function=add>", "</function>",
        "<parameter=a>",
        "</parameter>", "<arg_key>a</arg_key>", "<arg_value>", "</arg_value>", "{\"name\": \"add\", \"arguments\": {",
        "\"a\": 1", "}}", "{", "}", "[", "]", "\"", "\\", ", ", ";", "[add(a=1)]", "[add(", "'", "<|python_tag|>",
        "[TOOL_CALLS]", "[TOOL_CALLS] [", "add", "[ARGS]", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>",
        "function<｜tool▁sep｜>add\n```json\n", "add<｜tool▁sep｜>", "\n```<｜tool▁call▁end｜>", "<｜tool▁call▁end｜>",
        "<|tool_calls_section_begin|>", "<|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>",
        "<|tool_call_end|>", "<think>", "</think>", "<|channel|>analysis<|message|>", "<|end|>", "<|start|>assistant",
        "<|channel|>commentary to=functions.add <|constrain|>json<|message|>", "<|call|>",
        "<|channel|>final<|message|>",
        "analysis", "assistantfinal", "<minimax:tool_call>", "<invoke name=\"add\">", "<parameter name=\"a\">",
        "</invoke>",
        "</minimax:tool_call>", "<｜DSML｜function_calls>", "<｜DSML｜invoke name=\"add\">", "</｜DSML｜invoke>",
        "<tool_calls>", "<|inner_prefix|>", "<|inner_suffix|>", "<|START_ACTION|>", "<|END_ACTION|>", "<|START_TEXT|>",
        "<|END_THINKING|>", "<|tools_prefix|>[", "<|tools_suffix|>", "◁think▷", "[THINK]", "text", " ", "\n", "ü", "🦙",
        "e\u{301}", "<", "<|", "1", "null",
    ]

    private static func text(_ random: inout SplitMix64) -> String {
        (0..<Int.random(in: 1...14, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
    }

    @Test(arguments: ToolCallParser.names)
    func callsDependOnTheTextAloneNeverOnItsCuts(_ name: String) throws {
        let parser = try ToolCallParser.named(name, tools: [.init(name: "add"), .init(name: "ping")])
        for seed in 0..<150 {
            var random = SplitMix64(seed: UInt64(seed))
            let text = Self.text(&random)
            let whole = parser.streamed([text])
            #expect(parser.streamed(text.scalars) == whole, "seed \(seed): \(text.debugDescription)")
            let pieces = text.pieces(&random, meanLength: 6)
            #expect(parser.streamed(pieces) == whole, "seed \(seed): \(pieces)")
            for call in parser.parse(text).calls { #expect(call.name == "add" || call.name == "ping") }
        }
    }

    @Test(arguments: ReasoningParser.names)
    func thinkingDependsOnTheTextAloneNeverOnItsCuts(_ name: String) throws {
        for seed in 0..<150 {
            var random = SplitMix64(seed: UInt64(seed))
            let text = Self.text(&random)
            let options = ReasoningOptions(
                isForced: [nil, true, false][seed % 3], streams: seed % 5 > 0, needsContent: seed % 7 == 0)
            let parser = try ReasoningParser.named(name, options)
            let whole = parser.streamed([text])
            #expect(parser.streamed(text.scalars) == whole, "seed \(seed): \(text.debugDescription)")
            let pieces = text.pieces(&random, meanLength: 6)
            #expect(parser.streamed(pieces) == whole, "seed \(seed): \(pieces)")
            _ = parser.parse(text)
        }
    }

    @Test func plainTextComesThroughWhole() throws {
        let text = "Plain words, ü🦙e\u{301}\n and signs: < | > } ) a[1] x < y.\n\n"
        for name in ToolCallParser.names {
            let parser = try ToolCallParser.named(name, tools: [.init(name: "add")])
            #expect(parser.parse(text) == ToolCallAnswer(content: text), "\(name)")
            #expect(parser.streamed(text.scalars) == ToolCallAnswer(content: text), "\(name)")
        }
        for name in ReasoningParser.names where name != "minimax-append-think" {
            let parser = try ReasoningParser.named(name, .init(isForced: false))
            let answer = parser.streamed(text.scalars)
            #expect(answer.reasoning + answer.content == text, "\(name)")
        }
    }
}
