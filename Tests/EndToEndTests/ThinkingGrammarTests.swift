import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// A grammar binds what comes behind the thoughts, whichever process dies meanwhile.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct ThinkingGrammarTests {
        /// The model would write blanks for ever where it may.
        private static let fewBlanks = ["--constrained-json-max-whitespace-cnt", "1"]
        private static let flags = ["--tool-call-parser", "qwen", "--reasoning-parser", "qwen3"] + fewBlanks
        private static let schema: JSONValue = [
            "type": "object", "required": ["lamps", "remarks_of_the_keeper"], "additionalProperties": false,
            "properties": [
                "lamps": ["type": "integer", "minimum": 0, "maximum": 999],
                "remarks_of_the_keeper": [
                    "type": "array", "minItems": 12, "maxItems": 12,
                    "items": ["type": "string", "minLength": 3, "maxLength": 12],
                ],
            ],
        ]

        private static func thoughts(_ index: Int) -> String {
            String(repeating: "The keeper counts \(index) lamps, 水位 \(index * 7) cm. ", count: 8)
        }

        /// A chat whose model would say something else than what the client wants, once it has thought.
        private static func body(_ index: Int, on server: Server) throws -> JSONObject {
            let text =
                "<think>\n\(thoughts(index))\n</think>" + String(repeating: "It is late, page \(index). ", count: 12)
            var body: JSONObject = [
                "messages": [["role": "user", "content": .string(try EchoModel.prompt(saying: text, on: server))]],
                "temperature": .double(index % 2 == 0 ? 0 : 0.7), "seed": .int(Int64(index)),
                "stream": .bool(index % 3 != 2),
                "stream_options": ["include_usage": true], "logprobs": .bool(index % 4 == 3),
            ]
            if index % 4 == 1 { body["reasoning_effort"] = 0.02 }
            if index % 5 == 4 {
                body["tools"] = [["type": "function", "function": ["name": "note", "parameters": schema]]]
                body["tool_choice"] = "required"
                body["parallel_tool_calls"] = false
            } else {
                body["response_format"] = ["type": "json_schema", "json_schema": ["name": "page", "schema": schema]]
            }
            return body
        }

        private static func check(_ answer: ChatAnswer, _ index: Int) throws {
            let choice = try #require(answer.choices.first)
            #expect(choice.reasoning.contains("The keeper counts \(index) lamps"), "\(answer)")
            let isCall = index % 5 == 4
            let text = isCall ? try #require(choice.calls.first)[1] : choice.content
            #expect(choice.finish == (isCall ? "tool_calls" : "stop"), "\(answer)")
            let page = try JSON.parse(text)
            #expect(page.objectValue?.keys == ["lamps", "remarks_of_the_keeper"], "\(text)")
            #expect(page["remarks_of_the_keeper"]?.arrayValue?.count == 12)
            #expect(answer.reasoningTokens > 0 && answer.reasoningTokens < answer.completionTokens)
        }

        private func withEcho<R>(_ flags: [String] = flags, _ body: (Server) throws -> R) throws -> R {
            try EchoModel.serve(flags, body)
        }

        @Test func theAnswerIsBoundAndTheThoughtsAreFree() throws {
            try withEcho { server in
                let whole = try server.chat(try Self.body(0, on: server))
                try Self.check(whole, 0)
                #expect(whole.choices[0].reasoning.contains(Self.thoughts(0)))
                var cut = try Self.body(0, on: server)
                cut["reasoning_effort"] = 0.02
                let short = try server.chat(cut)
                try Self.check(short, 0)
                #expect(short.reasoningTokens < whole.reasoningTokens)
                try Self.check(try server.chat(try Self.body(4, on: server)), 4)
                // Without thoughts the grammar begins at once.
                var plain = try Self.body(0, on: server)
                plain["chat_template_kwargs"] = ["enable_thinking": false]
                let choice = try #require(try server.chat(plain).choices.first)
                #expect(choice.reasoning.isEmpty && choice.content.hasPrefix("{"), "\(choice)")
            }
        }

        @Test func aTextMayAskForItToo() throws {
            let asked = { (server: Server) -> JSONObject in
                let text = "\n\(Self.thoughts(1))\n</think>It is late."
                return [
                    "text": .string(try EchoModel.prompt(saying: text, on: server)), "require_reasoning": true,
                    "sampling_params": [
                        "temperature": 0, "max_new_tokens": 2500,
                        "json_schema": .string(JSON.encodeToString(Self.schema)),
                    ],
                ]
            }
            try withEcho { server in
                let outcome = try server.single(asked(server)).outcome
                let parts = outcome.text.split(separator: "</think>", maxSplits: 1)
                #expect(parts.count == 2 && parts[0].contains("The keeper counts 1 lamps"), "\(outcome)")
                #expect(try JSON.parse(String(parts.last ?? ""))["remarks_of_the_keeper"]?.arrayValue?.count == 12)
            }
            try withEcho(Self.fewBlanks) { server in
                let refused = try server.request("/generate", .object(asked(server)))
                #expect(refused.status == 400 && refused.text.contains("require_reasoning needs a server"))
                var free = try asked(server)
                free["sampling_params"] = ["temperature": 0, "max_new_tokens": 4]
                #expect(try server.request("/generate", .object(free)).status == 200)
            }
        }

        @Test func boundChatsGoOnWhicheverProcessDies() throws {
            try withEcho { server in
                let requests = try (0..<8).map { try Self.body($0, on: server) }
                let undisturbed = try requests.map { try server.chat($0) }
                for (index, answer) in undisturbed.enumerated() { try Self.check(answer, index) }
                try server.expectDeathsChangeNothing(in: requests, answered: undisturbed)
            }
        }
    }
}
