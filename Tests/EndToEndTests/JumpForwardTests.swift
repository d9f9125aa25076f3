import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Text that a grammar leaves no choice in is not asked of the model token by token, and nothing else of an answer changes with
    /// what runs beside it.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4)), .server("llama-tied", Workload.longContext))
    struct JumpForwardTests {
        private static let keys = ["keeper_of_the_northern_lighthouse", "水位_above_the_mark", "lamps_that_burn_tonight"]

        /// Long keys, short values.
        private static let schema: String = {
            let members = keys.enumerated().map { index, key in
                let value = [
                    "{\"type\":\"string\",\"maxLength\":9}", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":99}",
                ]
                return "\"\(key)\":"
                    + (index == 2 ? "{\"enum\":[\"red lamps\",\"reed lamps\",\"none\"]}" : value[index])
            }
            let names = keys.map { "\"\($0)\"" }.joined(separator: ",")
            return "{\"type\":\"array\",\"minItems\":2,\"maxItems\":2,\"items\":{\"type\":\"object\",\"properties\":{"
                + members.joined(separator: ",") + "},\"required\":[\(names)],\"additionalProperties\":false}}"
        }()

        /// Requests with everything that looks at tokens.
        private static let requests: [JSONObject] = {
            let changes: [JSONObject] = [
                [:], ["temperature": 0],
                ["frequency_penalty": 1.5, "presence_penalty": 0.5, "repetition_penalty": 1.3],
                ["stop": ["above_the", "\"none"]], ["max_new_tokens": 17], ["min_new_tokens": 12, "ignore_eos": true],
                ["stop_regex": ["lamps_[a-z]+"]], ["logit_bias": ["5": -3]], ["top_p": 0.7],
                ["top_k": 20, "min_p": 0.01],
            ]
            return changes.enumerated().map { index, change in
                var sampling: JSONObject = [
                    "temperature": 1, "max_new_tokens": 400, "sampling_seed": .int(Int64(index)),
                    "json_schema": .string(schema),
                ]
                for (name, value) in change { sampling[name] = value }
                return [
                    "text": .string("The keeper's book, page \(index / 2): "), "sampling_params": .object(sampling),
                    "return_logprob": .bool(index % 4 == 3), "top_logprobs_num": index % 8 == 3 ? 2 : 0,
                ]
            }
        }()

        private static func alone(_ server: Server) throws -> [Outcome] {
            try requests.map {
                try server.flush()
                return try server.single($0).outcome
            }
        }

        private static func changed(_ request: JSONObject, _ changes: JSONObject) -> JSONObject {
            var sampling = request["sampling_params"]!.objectValue!
            for (name, value) in changes { sampling[name] = value }
            var request = request
            request["sampling_params"] = .object(sampling)
            return request
        }

        @Test func tokensThatMustComeComeTogether() throws {
            let server = try Server.shared
            let request = Self.requests[0]
            let jumped = try server.streamed(request)
            #expect(try JSON.parse(jumped.outcome.text).arrayValue?.count == 2)
            #expect(jumped.frames * 2 < jumped.outcome.ids.count, "\(jumped.frames) frames")
            var scored = request
            scored["return_logprob"] = true
            let told = try server.streamed(scored)
            #expect(told.outcome.ids == jumped.outcome.ids && told.outcome.text == jumped.outcome.text)
            #expect(told.outcome.logprobs["output_token_logprobs"]?.count == told.outcome.ids.count)
            try withServer("llama-tied", Workload.longContext + ["--disable-jump-forward"]) { server in
                let asked = try server.streamed(request)
                #expect(try JSON.parse(asked.outcome.text).arrayValue?.count == 2)
            }
        }

        @Test func stopsAndLimitsHoldWithinTextThatMustCome() throws {
            let server = try Server.shared
            let stopped = try server.single(Self.requests[3]).outcome
            #expect(stopped.finish == ["type": "stop", "matched": "above_the"], "\(stopped)")
            #expect(stopped.text.hasSuffix("水位_"), "\(stopped)")
            let cut = try server.single(Self.requests[4]).outcome
            #expect(cut.ids.count == 17 && cut.finish == ["type": "length", "length": 17], "\(cut)")
            let whole = try server.single(Self.changed(Self.requests[4], ["max_new_tokens": 400])).outcome
            #expect(whole.ids.prefix(17) == cut.ids[...])
            let matched = try server.single(Self.requests[6]).outcome
            #expect(matched.finish["matched"] == "lamps_[a-z]+" && matched.text.contains("lamps_"), "\(matched)")
        }

        @Test func theSameComesAloneInABatchAndFromTheCache() throws {
            let server = try Server.shared
            let alone = try Self.alone(server)
            for _ in 0..<2 {
                let together = try concurrently(Self.requests.count) { try server.single(Self.requests[$0]) }
                for (index, one) in together.enumerated() { #expect(one.outcome == alone[index], "request \(index)") }
                #expect(together.contains { $0.cachedTokens > 0 })
            }
            var samples = Self.changed(Self.requests[0], ["n": 4])
            let four = try server.batch(samples).map(\.outcome)
            #expect(Set(four.map(\.text)).count > 1 && four[0] == alone[0])
            samples["return_logprob"] = true
            let scored = try server.batch(samples).map(\.outcome.ids)
            #expect(scored == four.map(\.ids))
        }

        @Test func theSameComesOfTwoRanks() throws {
            let reference = try Self.alone(try Server.shared)
            try withServer("llama-tied", Workload.longContext + ["--tp", "2"]) { server in
                let alone = try Self.alone(server)
                let together = try concurrently(Self.requests.count) { try server.single(Self.requests[$0]).outcome }
                #expect(together == alone)
                #expect(alone[1].ids == reference[1].ids)
            }
        }

        @Test func theSameComesAfterARetraction() throws {
            let server = try Server.shared
            let requests = (0..<8).map { Self.changed(Self.requests[0], ["sampling_seed": .int(Int64($0))]) }
            let reference = try requests.map { try server.single($0).outcome }
            let flags = ["--max-total-tokens", "512", "--schedule-conservativeness", "0.1"]
            try withServer("llama-tied", flags) { server in
                let crowded = try concurrently(requests.count) { try server.single(requests[$0]) }
                #expect(crowded.map(\.outcome) == reference)
                #expect(crowded.contains { $0.retractions > 0 }, "the pool was roomy enough")
            }
        }
    }
}
