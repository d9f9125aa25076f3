import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Processes die in the middle of chats: thoughts, calls of tools and texts come as if nothing had happened.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct ChatDeathTests {
        private static let flags = ["--tool-call-parser", "qwen", "--reasoning-parser", "qwen3"]
        private static let tools: JSONValue = [
            [
                "type": "function",
                "function": ["name": "note", "parameters": ["type": "object", "properties": ["text": [:]]]],
            ]
        ]

        /// What the model says: thoughts, text, and two calls, long enough to die in each.
        private static func saying(_ index: Int) -> String {
            let line = "The keeper counts \(index) lamps, 水位 \(index * 7) cm. "
            let call = { (text: String) in
                "<tool_call>\n{\"name\": \"note\", \"arguments\": {\"text\": \"\(text)\", \"n\": [\(index), null]}}\n</tool_call>"
            }
            return "<think>\n" + String(repeating: line, count: 6) + "\n</think>\n\nI note it. "
                + call(String(repeating: line, count: 8)) + "\n" + call("short")
        }

        private static func body(_ index: Int, on server: Server) throws -> JSONObject {
            var body: JSONObject = [
                "messages": [
                    ["role": "user", "content": .string(try EchoModel.prompt(saying: saying(index), on: server))]
                ],
                "tools": tools, "temperature": 0, "stream": .bool(index % 4 != 3),
                "n": .int(index % 4 == 2 ? 2 : 1), "logprobs": .bool(index % 2 == 1), "top_logprobs": 1,
                "stream_options": ["include_usage": true],
            ]
            if index % 4 == 1 { body["reasoning_effort"] = budget }
            return body
        }

        /// The share of thinking in an answer, some 60 of its tokens.
        private static let budget: JSONValue = 0.02

        private func withEcho<R>(_ body: (Server) throws -> R) throws -> R {
            try EchoModel.serve(Self.flags, body)
        }

        @Test func theModelSaysWhatItIsTold() throws {
            try withEcho { server in
                for index in [0, 3] {
                    let answer = try server.chat(try Self.body(index, on: server))
                    let choice = try #require(answer.choices.first)
                    #expect(choice.reasoning.contains("The keeper counts \(index) lamps, 水位"))
                    #expect(choice.content.trimmingCharacters(in: .whitespacesAndNewlines) == "I note it.")
                    #expect(choice.calls.map { $0[0] } == ["note", "note"])
                    #expect(try JSON.parse(choice.calls.last?[1] ?? "")["text"] == "short")
                    #expect(choice.finish == "tool_calls")
                }
            }
        }

        @Test func thinkingEndsAtItsBudgetAndTheAnswerGoesOn() throws {
            try withEcho { server in
                var body = try Self.body(0, on: server)
                let whole = try server.chat(body)
                body["reasoning_effort"] = Self.budget
                let cut = try server.chat(body)
                let choices = (try #require(whole.choices.first), try #require(cut.choices.first))
                #expect(choices.0.reasoning.hasPrefix(choices.1.reasoning) && !choices.1.reasoning.isEmpty)
                #expect(cut.reasoningTokens < whole.reasoningTokens && cut.completionTokens == whole.completionTokens)
                // What it would have thought on it says, since it only says what it is told.
                #expect(choices.1.content.contains("水位") && choices.1.calls == choices.0.calls)
                body["stream"] = false
                let plain = try server.chat(body)
                #expect(plain.choices.first?.reasoning == choices.1.reasoning)
                #expect(plain.choices.first?.calls == choices.1.calls && plain.reasoningTokens == cut.reasoningTokens)
            }
        }

        @Test func chatsGoOnWhicheverProcessDies() throws {
            try withEcho { server in
                let requests = try (0..<8).map { try Self.body($0, on: server) }
                let undisturbed = try requests.map { try server.chat($0) }
                try server.expectDeathsChangeNothing(in: requests, answered: undisturbed)
            }
        }
    }
}
