import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// However a request is served, its answer is the same: text, ids, and log probabilities bit for bit.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(3))) struct EqualityTests {
        /// A model and what it computes in.
        struct Variant: Sendable, CustomTestStringConvertible {
            let model: String
            let dtype: String
            var testDescription: String { "\(model) \(dtype)" }
        }

        static let variants =
            ["llama-untied", "qwen3-tied"].flatMap { model in
                ["float32", "bfloat16"].map { Variant(model: model, dtype: $0) }
            } + ["qwen2moe", "gemma3", "gpt-oss"].map { Variant(model: $0, dtype: "bfloat16") }

        private static let passage = """
            Every morning the keeper climbed the 94 steps, lit the lamp and wrote the level of the water into his book. \
            Nobody asked him to. 水位は毎週少しずつ上がった。Der Wärter zählte — naïve façade, 12.5 % — bis zum Frühling. 🙂👩‍👩‍👧 \
            def level(day): return base + day * 0.25  # metres
            """

        /// Sixteen requests of many lengths: greedy and seeded, with penalties, with and without log probabilities.
        static let requests: [JSONObject] = (0..<16).map { index in
            let start = passage.index(passage.startIndex, offsetBy: index * 7)
            var sampling: JSONObject = [
                "max_new_tokens": .int(Int64(12 + index * 3)), "ignore_eos": .bool(index % 5 != 0),
            ]
            if index % 2 == 1 {
                sampling["temperature"] = 0.9
                sampling["top_p"] = 0.95
                sampling["top_k"] = 60
                sampling["sampling_seed"] = .int(Int64(1000 + index))
            } else {
                sampling["temperature"] = 0
            }
            if index % 4 == 2 { sampling["frequency_penalty"] = 0.5 }
            if index % 8 == 5 { sampling["repetition_penalty"] = 1.2 }
            return [
                "text": .string(String(passage[start...].prefix(3 + index * 9))), "sampling_params": .object(sampling),
                "return_logprob": .bool(index % 4 != 3), "top_logprobs_num": .int(index % 3 == 0 ? 3 : 0),
                "logprob_start_len": .int(scoresPrompt(index) ? 0 : -1),
            ]
        }

        /// Requests that score their prompt are computed without the cache.
        private static func scoresPrompt(_ index: Int) -> Bool { index % 8 == 4 }

        /// The same requests as one batch.
        static let batch: JSONObject = {
            var body: JSONObject = [:]
            for key in requests[0].keys { body[key] = .array(requests.map { $0[key]! }) }
            return body
        }()

        /// Compares what two ways of serving gave.
        private func expectEqual(_ found: [Generated], _ wanted: [Generated], _ way: Comment) {
            #expect(found.count == wanted.count, way)
            for (index, pair) in zip(found, wanted).enumerated() {
                #expect(pair.0.outcome == pair.1.outcome, "\(way.rawValue), request \(index)")
            }
        }

        @Test(arguments: variants) func servesTheSameInEveryWay(_ variant: Variant) throws {
            let reference = try withServer(variant.model, dtype: variant.dtype) { server in
                let reference = try Self.requests.map { request in
                    try server.flush()
                    return try server.single(request)
                }
                #expect(reference.allSatisfy { $0.cachedTokens == 0 })
                #expect(Set(reference.map { $0.outcome.text }).count > 8, "the requests are too alike")
                try server.flush()
                expectEqual(try server.batch(Self.batch), reference, "in a batch")
                try server.flush()
                expectEqual(
                    try concurrently(16) { try server.single(Self.requests[$0]) }, reference, "from concurrent clients")
                let again = try Self.requests.map { try server.single($0) }
                expectEqual(again, reference, "from the cache")
                for (index, answer) in again.enumerated()
                where answer.outcome.promptTokens > 1 && !Self.scoresPrompt(index) {
                    #expect(answer.cachedTokens > 0, "request \(index) was in the cache")
                }
                expectEqual(try Self.requests.map { try server.streamed($0) }, reference, "streamed from the cache")
                try server.flush()
                let streams = try concurrently(16) { try server.streamed(Self.requests[$0]) }
                expectEqual(streams, reference, "as concurrent streams")
                #expect(streams.allSatisfy { $0.frames > 1 })
                return reference
            }
            let flags = ["--chunked-prefill-size", "7", "--incremental-streaming-output"]
            try withServer(variant.model, flags, dtype: variant.dtype) { server in
                let chunked = try Self.requests.map { request in
                    try server.flush()
                    return try server.single(request)
                }
                expectEqual(chunked, reference, "in chunks of 7")
                try server.flush()
                expectEqual(try server.batch(Self.batch), reference, "in a batch and in chunks of 7")
                try server.flush()
                let streams = try concurrently(16) { try server.streamed(Self.requests[$0], incremental: true) }
                expectEqual(streams, reference, "as concurrent incremental streams in chunks of 7")
            }
        }

        @Test func aServerWithoutTokenizerGivesTheSameIDs() throws {
            func bodies() -> [JSONObject] {
                (0..<4).map { index in
                    [
                        "input_ids": .array((0..<5 + index).map { .int(Int64(11 + $0 * 7)) }),
                        "sampling_params": ["temperature": 0, "max_new_tokens": 30, "ignore_eos": true],
                    ]
                }
            }
            let reference = try withServer("llama-untied") { server in
                try bodies().map { try server.single($0).outcome.ids }
            }
            try withServer("llama-untied", ["--skip-tokenizer-init"]) { server in
                let whole = try bodies().map { try server.single($0).outcome.ids }
                let streamed = try bodies().map { try server.streamed($0).outcome.ids }
                #expect(whole == reference && streamed == reference)
            }
        }

        @Test func retractedRequestsGiveTheSame() throws {
            let requests = (0..<8).map { index -> JSONObject in
                var request = Self.requests[index]
                var sampling = request["sampling_params"]!.objectValue!
                sampling["max_new_tokens"] = 120
                sampling["ignore_eos"] = true
                request["sampling_params"] = .object(sampling)
                return request
            }
            let reference = try withServer("llama-untied") { server in
                try concurrently(8) { try server.single(requests[$0]) }
            }
            let flags = ["--max-total-tokens", "512", "--schedule-conservativeness", "0.1"]
            try withServer("llama-untied", flags) { server in
                let crowded = try concurrently(8) { try server.single(requests[$0]) }
                expectEqual(crowded, reference, "with too little room")
                #expect(crowded.contains { $0.retractions > 0 }, "the pool was roomy enough")
            }
        }

        @Test(arguments: [
            "llama-untied", "llama-tied", "qwen2-tied", "qwen3-untied", "llama-gguf", "qwen3moe", "qwen2moe-gguf",
            "llama-fp8",
        ])
        func greedyIDsAreTheGoldens(_ model: String) throws {
            let bytes = try #require(FileManager.default.contents(atPath: Fixtures.path(model) + "/golden.json"))
            let golden = try JSON.parse(String(decoding: bytes, as: UTF8.self))
            let prompts = try #require(golden["prompts"]?.arrayValue)
            try withServer(model.hasSuffix("-gguf") ? model + "/tiny.gguf" : model) { server in
                for prompt in prompts {
                    let ids = try #require(prompt["output_ids"]?.arrayValue)
                    let margins = try #require(prompt["margins"]?.arrayValue)
                    let answer = try server.single([
                        "input_ids": try #require(prompt["ids"]),
                        "sampling_params": [
                            "temperature": 0, "max_new_tokens": .int(Int64(ids.count)), "ignore_eos": true,
                            "skip_special_tokens": false,
                        ],
                    ])
                    // Where two ids are as good as equal, float32 may choose either, and what follows is another text.
                    let sure = margins.firstIndex { ($0.doubleValue ?? 0) <= 1e-3 } ?? ids.count
                    #expect(answer.outcome.ids.prefix(sure) == ids.prefix(sure).map { $0.intValue ?? -1 }[...])
                    #expect(answer.outcome.ids.count == ids.count)
                    if sure == ids.count { #expect(answer.outcome.text == prompt["output_text"]?.stringValue) }
                }
            }
        }
    }
}
