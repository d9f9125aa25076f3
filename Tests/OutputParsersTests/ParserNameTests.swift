import JSON
import OutputParsers
import Testing

@Suite struct ParserNameTests {
    @Test func aNameThatNoParserHasIsRefusedWithTheChoices() {
        let error = #expect(throws: UnknownParser.self) { try ToolCallParser.named("nope", tools: []) }
        #expect(error?.description.contains("unknown tool call parser 'nope' (choose from apertus2509, ") == true)
        let other = #expect(throws: UnknownParser.self) { try ReasoningParser.named("nope") }
        #expect(other?.description.contains("unknown reasoning parser 'nope' (choose from apertus2509, ") == true)
    }

    @Test func aFormatThatNeedsItsModelsTokenizerIsRefusedAsThat() {
        let error = #expect(throws: UnknownParser.self) { try ToolCallParser.named("deepseekv4", tools: []) }
        #expect(
            error?.description
                == "'deepseekv4' output is parsed with its model's tokenizer; this server does not serve that model")
    }

    @Test func anAnswerIsShownInItsParts() throws {
        let apertus = try ReasoningParser.named("apertus2509")
        let text = "x<|inner_prefix|>a<|inner_suffix|>b<|inner_prefix|>c<|inner_suffix|>"
        #expect(
            apertus.blocks(of: text)
                == [.content("x"), .reasoning("a"), .content("b"), .reasoning("c"), .content("")])
        let qwen = try ReasoningParser.named("qwen3")
        #expect(qwen.blocks(of: "<think>a</think>b") == [.reasoning("a"), .content("b")])
        #expect(qwen.blocks(of: "b") == [.content("b")])
    }

    @Test func whereNoTemplateShowsItTheParserSaysWhetherTheAnswerBeginsThinking() {
        #expect(ReasoningParser.isForced("qwen3", [:]))
        #expect(!ReasoningParser.isForced("qwen3", ["enable_thinking": false]))
        #expect(!ReasoningParser.isForced("kimi", [:]))
        #expect(ReasoningParser.isForced("deepseek-r1", ["thinking": false]))
        #expect(!ReasoningParser.isForced("deepseek-v3", [:]))
        #expect(ReasoningParser.isForced("deepseek-v3", ["thinking": true]))
        #expect(!ReasoningParser.isForced("mistral", ["reasoning_effort": "none"]))
        #expect(ReasoningParser.isForced("mistral", ["reasoning_effort": "high"]))
        #expect(ReasoningParser.isForced("minimax-m3", ["thinking_mode": "enabled"]))
    }

    @Test func whatTheTemplateShowsGoesBeforeTheRuleOfAllButFewParsers() {
        #expect(!ReasoningParser.isForced("qwen3", [:], template: false))
        #expect(ReasoningParser.isForced("deepseek-v3", [:], template: true))
        #expect(ReasoningParser.isForced("deepseek-r1", [:], template: false))
        #expect(!ReasoningParser.isForced("minimax-m3", [:], template: true))
        #expect(!ReasoningParser.isForced("iquest_q1", ["thinking": false], template: true))
    }

    @Test func withoutToolsAllIsText() throws {
        for name in ToolCallParser.names {
            let parser = try ToolCallParser.named(name, tools: [])
            let text = "<tool_call>\n{\"name\": \"add\"}\n</tool_call>[add()]{"
            #expect(parser.parse(text) == ToolCallAnswer(content: text))
            #expect(parser.streamed([text]) == ToolCallAnswer(content: text))
        }
    }

    @Test func aListOfForcedCallsIsReadByItself() throws {
        let parser = ToolCallParser.list(tools: [.init(name: "add"), .init(name: "ping")])
        let text = " [{\"name\": \"add\", \"parameters\": {\"a\":1}},{\"name\":\"ping\",\"parameters\":{}}]"
        let calls = parser.parse(text).calls
        #expect(calls.map(\.name) == ["add", "ping"])
        #expect(calls.map(\.arguments) == ["{\"a\": 1}", "{}"])
        for pieces in text.halves {
            let stream = parser.streamed(pieces)
            #expect(stream.calls.map(\.arguments) == calls.map(\.arguments))
            #expect(stream.content.isEmpty)
        }
        #expect(parser.parse("no list") == ToolCallAnswer(content: "no list"))
        #expect(parser.streamed(["no ", "list"]) == ToolCallAnswer(content: "no list"))
    }

    @Test func aCallInAFormatsOwnFormIsFoundByItsParser() throws {
        for name in ToolCallParser.names {
            guard let structure = ToolCallParser.structure(of: name, tool: "add") else { continue }
            let parser = try ToolCallParser.named(name, tools: [.init(name: "add")])
            let answer = parser.parse(structure.begin + "{\"a\": 1}" + structure.end)
            #expect(answer.calls.map(\.arguments) == ["{\"a\": 1}"], "\(name)")
            #expect(structure.begin.contains(structure.trigger), "\(name)")
        }
    }

    @Test func kimisCallsHaveIdsThatCount() throws {
        let kimi = try ToolCallParser.named("kimi_k2", tools: [.init(name: "add")])
        #expect(kimi.callID(of: "add", ordinal: 3) == "functions.add:3")
        #expect(try ToolCallParser.named("qwen", tools: [.init(name: "add")]).callID(of: "add", ordinal: 3) == nil)
    }
}
