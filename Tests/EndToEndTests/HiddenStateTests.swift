import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// What the model has inside, and what is put into it.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct HiddenStateTests {
        private static let model = "llama-tied"
        private static let prompt = [5, 17, 88, 3, 120, 9]

        private func body(_ ids: [Int], _ count: Int = 6, _ more: JSONObject = [:]) -> JSONObject {
            var body: JSONObject = [
                "input_ids": .array(ids.map { .int(Int64($0)) }), "return_hidden_states": true,
                "sampling_params": ["temperature": 0, "max_new_tokens": .int(Int64(count)), "ignore_eos": true],
            ]
            for (name, value) in more { body[name] = value }
            return body
        }

        private func states(_ answer: JSONValue) -> [JSONValue] {
            answer["meta_info"]?["hidden_states"]?.arrayValue ?? []
        }

        @Test func thePromptHasAMatrixAndEachTokenAVector() throws {
            try withServer(Self.model, ["--enable-return-hidden-states"]) { server in
                let answer = try server.generate(body(Self.prompt))
                let list = states(answer)
                let ids = try Generated(answer).outcome.ids
                #expect(list.count == 6)
                #expect(list[0].arrayValue?.count == Self.prompt.count)
                #expect(list[0][0]?.arrayValue?.count == 80)
                #expect(list.dropFirst().allSatisfy { $0.arrayValue?.count == 80 && $0[0]?.doubleValue != nil })
                // A token's row is the same whether it was decoded or belongs to a prompt, and whatever the cache has.
                let longer = states(try server.generate(body(Self.prompt + ids.prefix(3), 1)))
                #expect(longer.count == 1 && longer[0].arrayValue?.count == Self.prompt.count + 3)
                #expect(longer[0].arrayValue ?? [] == (list[0].arrayValue ?? []) + list[1...3])
                // With log probabilities of a part of the prompt both are whole.
                let scored = try server.generate(
                    body(Self.prompt, 6, ["return_logprob": true, "logprob_start_len": 3]))
                #expect(states(scored) == list)
                #expect(scored["meta_info"]?["input_token_logprobs"]?.arrayValue?.count == Self.prompt.count - 3)
                // One of a batch may want none.
                var both = body(Self.prompt)
                both["input_ids"] = .array([both["input_ids"]!, both["input_ids"]!])
                both["return_hidden_states"] = [true, false]
                let answers = try server.generate(both).arrayValue ?? []
                #expect(states(answers[0]) == list && answers[1]["meta_info"]?["hidden_states"] == nil)
            }
        }

        @Test func onlyTheLastRowOfAPromptWhereTheOperatorSaysSo() throws {
            let full = try withServer(Self.model, ["--return-hidden-states-mode", "full"]) { server in
                states(try server.generate(body(Self.prompt)))
            }
            try withServer(Self.model, ["--return-hidden-states-mode", "last", "--tp", "2"], dtype: "float32") {
                server in
                let list = states(try server.generate(body(Self.prompt)))
                #expect(list.count == full.count)
                #expect(list.allSatisfy { $0.arrayValue?.count == 80 && $0[0]?.doubleValue != nil })
                // Sums over two ranks differ in the last bits.
                let rows = [full[0].arrayValue!.last!] + full.dropFirst()
                for (found, expected) in zip(list, rows) {
                    for (a, b) in zip(found.arrayValue ?? [], expected.arrayValue ?? []) {
                        #expect(abs((a.doubleValue ?? 9) - (b.doubleValue ?? -9)) < 1e-3)
                    }
                }
            }
        }

        @Test func aStreamHasTheSameRowsWhoeverDies() throws {
            let flags = ["--enable-return-hidden-states"] + Workload.longContext
            try withServer(Self.model, flags, dtype: "bfloat16") { server in
                let expected = states(try server.generate(body(Self.prompt, 60)))
                for title in Title.neighbours {
                    let victim = try server.incarnation(of: title)
                    let seen = EventBoard((frames: 0, last: JSONValue.null))
                    let crew = started(1) { _ in
                        let connection = try HTTPConnection(port: server.port)
                        try connection.send("/generate", .object(body(Self.prompt, 60, ["stream": true])))
                        _ = try connection.head()
                        _ = try connection.events { event in
                            seen.update { ($0.frames, $0.last) = ($0.frames + 1, event) }
                            return true
                        }
                    }
                    #expect(seen.wait { $0.frames > 3 ? () : nil } != nil)
                    kill(victim.pid, SIGKILL)
                    _ = try crew.results()
                    #expect(states(seen.now.last) == expected, "after the death of \(title)")
                    try server.allReady()
                }
            }
        }

        /// Hidden states of an answer in OpenAI's manner: the last that any of its frames has.
        private func states(_ path: String, _ body: JSONObject, on server: Server) throws -> JSONValue? {
            guard body["stream"] == true else {
                return try server.request(path, .object(body)).json()["choices"]?[0]?["hidden_states"]
            }
            let connection = try HTTPConnection(port: server.port)
            try connection.send(path, .object(body))
            _ = try connection.head()
            var found: JSONValue?
            _ = try connection.events { event in
                let choice = event["choices"]?[0]
                found = choice?["hidden_states"] ?? choice?["delta"]?["hidden_states"] ?? found
                return true
            }
            return found
        }

        @Test func completionsAndChatsTellThemForEachTokenOrTheLast() throws {
            try withServer(Self.model, ["--return-hidden-states-mode", "last"]) { server in
                let wanted = states(try server.generate(body(Self.prompt)))
                let ids = JSONValue.array(Self.prompt.map { .int(Int64($0)) })
                for (path, prompt) in [
                    ("/v1/completions", ["prompt": ids]),
                    ("/v1/chat/completions", ["messages": [["role": "user", "content": "a"]], "input_ids": ids]),
                ] as [(String, JSONObject)] {
                    for isStreamed in [false, true] {
                        var request = prompt
                        for (name, value) in [
                            ("max_tokens", 6), ("temperature", 0), ("ignore_eos", true), ("stream", .bool(isStreamed)),
                        ] as [(String, JSONValue)] { request[name] = value }
                        #expect(try states(path, request, on: server) == nil, "\(path)")
                        request["return_hidden_states"] = "last"
                        #expect(try states(path, request, on: server) == .array(wanted), "\(path)")
                        request["return_hidden_states"] = true
                        #expect(try states(path, request, on: server) == wanted.last, "\(path)")
                        request["return_hidden_states"] = "all"
                        #expect(try server.request(path, .object(request)).status == 400)
                    }
                }
            }
        }

        @Test func withoutTheFlagNobodySeesThem() throws {
            try withServer(Self.model) { server in
                let answer = try server.request("/generate", .object(body(Self.prompt)))
                #expect(answer.status == 400 && answer.text.contains("not configured to return hidden states"))
                let text = try server.request("/v1/completions", ["prompt": "a", "return_hidden_states": true])
                #expect(text.status == 400 && text.text.contains("not configured to return hidden states"))
                let vectors = try server.request("/generate", ["input_embeds": [[0.5, 1]]])
                #expect(vectors.status == 400 && vectors.text.contains("disable_radix_cache is False"))
            }
        }

        /// The vectors that the model has for tokens.
        private func vectors(_ server: Server, _ ids: [Int]) throws -> JSONValue {
            let table = try server.request(
                "/get_weights_by_name", ["name": "model.embed_tokens.weight", "truncate_size": 400]
            ).json()
            return .array(ids.map { table[$0] ?? .null })
        }

        @Test(arguments: [[], ["--tp", "2"]]) func vectorsOfTokensAreAsGoodAsTheTokens(_ ranks: [String]) throws {
            try withServer(Self.model, ["--disable-radix-cache"] + ranks) { server in
                var byID = body(Self.prompt, 40)
                byID["return_hidden_states"] = nil
                let expected = try server.single(byID).outcome
                var byVector = byID
                byVector["input_ids"] = nil
                byVector["input_embeds"] = try vectors(server, Self.prompt)
                let answer = try server.single(byVector).outcome
                #expect(answer.ids == expected.ids && answer.promptTokens == Self.prompt.count)
                // A batch of two, of which one is other vectors.
                var batch = byVector
                batch["input_embeds"] = [byVector["input_embeds"]!, try vectors(server, [9, 8, 7])]
                let answers = try server.batch(batch)
                #expect(answers[0].outcome.ids == expected.ids && answers[1].outcome.ids != expected.ids)
                // A death in the middle: the vectors go out again.
                byVector["sampling_params"] = ["temperature": 0, "max_new_tokens": 300, "ignore_eos": true]
                byID["sampling_params"] = byVector["sampling_params"]
                let long = try server.single(byID).outcome.ids
                let (request, frames) = (byVector, EventBoard(0))
                let crew = started(1) { _ in
                    try server.streamed(request) { count in frames.update { $0 = count } }.outcome.ids
                }
                #expect(frames.wait { $0 > 3 ? () : nil } != nil)
                let title = ranks.isEmpty ? Title.worker : Title.worker + "_TP1"
                try server.kill([try server.incarnation(of: title)])
                #expect(try crew.results() == [long])
            }
        }

        @Test func vectorsOfAnotherKindAreRefused() throws {
            try withServer(Self.model, ["--disable-radix-cache"]) { server in
                for wrong: JSONValue in [[[1, 2, 3]], [[1, 2], [1]], [], [[]], ["a"], 5, [["x"]], [[[1], 2]]] {
                    let answer = try server.request("/generate", ["input_embeds": wrong])
                    #expect(answer.status == 400, "\(wrong): \(answer.text)")
                }
                let two = try server.request("/generate", ["input_embeds": [[1]], "text": "a"])
                #expect(two.status == 400)
                #expect(try server.single(body([5], 1, ["return_hidden_states": false])).outcome.ids.count == 1)
            }
        }
    }
}
