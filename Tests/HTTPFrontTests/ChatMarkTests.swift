import ChatAPI
import HTTPFront
import JSON
import Messages
import Testing

/// Formats whose marks are special tokens.
@Suite struct ChatMarkTests {
    /// Whether the answer to a chat leaves special tokens out, as it goes down the pipe.
    private func skips(tools: String? = nil, reasoning: String? = nil, _ fields: String = "") async throws -> Bool {
        var model = ServedModel()
        (model.parsers.tools, model.parsers.reasoning) = (tools, reasoning)
        let server = LocalFront(model: model)
        let body = "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"max_tokens\":2\(fields)}"
        #expect(try await server.post("/v1/chat/completions", body).status == 200)
        let sent = server.commands.compactMap { command -> Generate? in
            if case .generate(let generate)? = command.command { generate } else { nil }
        }
        return try #require(sent.first).sampling.skipSpecialTokens
    }

    @Test(arguments: ["apertus2509", "gemma4", "gpt-oss", "kimi_k3"])
    func theMarksOfThoughtsAreShownToTheirParser(_ name: String) async throws {
        #expect(try await !skips(reasoning: name))
        #expect(try await !skips(reasoning: name, #","skip_special_tokens":true"#))
    }

    @Test func otherAnswersAreWithoutSpecialTokens() async throws {
        #expect(try await skips())
        #expect(try await skips(tools: "qwen", reasoning: "qwen3"))
        #expect(try await skips(reasoning: "mistral"))
        #expect(try await skips(reasoning: "mistral", #","reasoning_effort":"none""#))
        #expect(try await !skips(reasoning: "mistral", #","reasoning_effort":"high""#))
        #expect(try await !skips(tools: "gpt-oss"))
        #expect(try await !skips(tools: "gemma4"))
    }

    @Test func gemmasTemplateShowsItsFormats() {
        let template = "{{ '<|channel>thought\\n' }}<|tool_call>call:"
        #expect(ChatParsers.toolsShown(by: template) == "gemma4")
        #expect(ChatParsers.reasoningShown(by: template) == "gemma4")
    }
}
