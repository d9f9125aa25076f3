import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Processes die in the middle of chats: thoughts, calls of tools and texts come as if nothing had happened.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct ChatDeathTests {
        private func withEcho<R>(_ body: (Server) throws -> R) throws -> R {
            try EchoModel.serve(ToolChats.flags, body)
        }

        @Test func theModelSaysWhatItIsTold() throws {
            try withEcho { server in
                for index in [0, 3] {
                    let answer = try server.chat(try ToolChats.body(index, on: server))
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
                var body = try ToolChats.body(0, on: server)
                let whole = try server.chat(body)
                body["reasoning_effort"] = ToolChats.budget
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
                let requests = try (0..<8).map { try ToolChats.body($0, on: server) }
                let undisturbed = try requests.map { try server.chat($0) }
                try server.expectDeathsChangeNothing(in: requests, answered: undisturbed)
            }
        }
    }
}
