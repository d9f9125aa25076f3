import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// What /generate does with the fields of a request, seen by a client.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2)), .server("llama-tied", Workload.longContext))
    struct GenerateTests {
        private static let prompts = ["The keeper", "Rain fell for a week and the level rose", "T", "def level(day):"]

        private func request(_ text: String, tokens: Int = 40, _ extra: JSONObject = [:]) -> JSONObject {
            var sampling: JSONObject = ["temperature": 0, "max_new_tokens": .int(Int64(tokens)), "ignore_eos": true]
            for (name, value) in extra { sampling[name] = value }
            return ["text": .string(text), "sampling_params": .object(sampling)]
        }

        private var texts: JSONValue { .array(Self.prompts.map { .string($0) }) }

        @Test func aBatchIsAnsweredInItsOrderWithItsNames() throws {
            let server = try Server.shared
            let singles = try Self.prompts.map { try server.single(request($0)) }
            var batch = request("")
            batch["text"] = texts
            batch["rid"] = ["d", "c", "b", "a"]
            let answers = try #require(try server.generate(batch).arrayValue)
            #expect(try answers.map { try Generated($0).outcome } == singles.map(\.outcome))
            #expect(answers.map { $0["meta_info"]?["id"]?.stringValue } == ["d", "c", "b", "a"])
        }

        @Test func samplesOfOnePromptStandTogether() throws {
            let server = try Server.shared
            let singles = try Self.prompts.map { try server.single(request($0)).outcome }
            var batch = request("", ["n": 2])
            batch["text"] = texts
            let answers = try #require(try server.generate(batch).arrayValue)
            #expect(try answers.map { try Generated($0).outcome } == singles.flatMap { [$0, $0] })
            #expect(Set(answers.map { $0["meta_info"]?["id"]?.stringValue }).count == 8)
            let varied = try server.batch(request(Self.prompts[0], ["n": 4, "temperature": 1]))
            #expect(varied.count == 4 && Set(varied.map(\.outcome.ids)).count > 1)
        }

        @Test func aStreamOfManyNamesTheItemInEachFrame() throws {
            let server = try Server.shared
            let singles = try Self.prompts.map { try server.single(request($0)).outcome }
            var batch = request("")
            batch["text"] = texts
            batch["stream"] = true
            let connection = try HTTPConnection(port: server.port)
            try connection.send("/generate", .object(batch))
            #expect(try connection.head().headers["content-type"]?.hasPrefix("text/event-stream") == true)
            var last: [Int: Outcome] = [:]
            let isWhole = try connection.events { frame in
                let index = try #require(frame["index"]?.intValue)
                #expect(last[index]?.finish ?? .null == .null, "a frame after the last")
                last[index] = try Generated(frame).outcome
                return true
            }
            #expect(isWhole)
            #expect((0..<4).map { last[$0] } == singles)
        }

        @Test func aStopStringEndsTheTextAlikeStreamedAndNot() throws {
            let server = try Server.shared
            let free = try server.single(request(Self.prompts[1], tokens: 120)).outcome
            // Two letters in a row that come late enough.
            let letters = Array(free.text)
            let place = try #require(
                letters.indices.dropFirst(20).dropLast(20).first { index in
                    letters[index...index + 1].allSatisfy { $0.isASCII && $0.isLetter }
                })
            let stop = String(letters[place...place + 1])
            let trimmed = try #require(free.text.range(of: stop)).lowerBound
            let stopped = try server.single(
                request(Self.prompts[1], tokens: 120, ["stop": [.string(stop), "never here"]]))
            #expect(stopped.outcome.text == String(free.text[..<trimmed]))
            #expect(stopped.outcome.finish == ["type": "stop", "matched": .string(stop)])
            #expect(stopped.outcome.completionTokens < free.completionTokens)
            #expect(stopped.outcome.completionTokens == stopped.outcome.ids.count)
            let body = request(Self.prompts[1], tokens: 120, ["stop": .string(stop)])
            #expect(try server.streamed(body).outcome == stopped.outcome)
            let kept = try server.single(
                request(Self.prompts[1], tokens: 120, ["stop": .string(stop), "no_stop_trim": true]))
            #expect(kept.outcome.text.hasPrefix(stopped.outcome.text + stop))
            #expect(kept.outcome.ids == stopped.outcome.ids)
        }

        @Test func aStopTokenEndsTheIDsAndNotTheText() throws {
            let server = try Server.shared
            let free = try server.single(request(Self.prompts[3])).outcome
            let stop = free.ids[20]
            let count = try #require(free.ids.firstIndex(of: stop)) + 1
            let body = request(Self.prompts[3], ["stop_token_ids": [.int(Int64(stop))], "ignore_eos": false])
            let stopped = try server.single(body).outcome
            #expect(stopped.ids == Array(free.ids[..<count]))
            #expect(stopped.finish == ["type": "stop", "matched": .int(Int64(stop))])
            #expect(stopped.completionTokens == count)
            #expect(free.text.hasPrefix(stopped.text) && stopped.text != free.text)
            #expect(try server.streamed(body).outcome == stopped)
        }

        @Test func logProbabilitiesCoverPromptAndOutput() throws {
            let server = try Server.shared
            for tokens in [0, 5] {
                var body = request(Self.prompts[1], tokens: tokens)
                body["return_logprob"] = true
                body["logprob_start_len"] = 0
                body["top_logprobs_num"] = 2
                body["token_ids_logprob"] = [5, 6, 7]
                body["return_text_in_logprobs"] = true
                let answer = try server.generate(body)
                let outcome = try Generated(answer).outcome
                #expect(outcome.ids.count == tokens && outcome.completionTokens == tokens)
                #expect(outcome.finish == ["type": "length", "length": .int(Int64(tokens))])
                if tokens == 0 { #expect(outcome.text.isEmpty) }
                let meta = try #require(answer["meta_info"])
                let wanted = [("input", outcome.promptTokens), ("output", tokens)]
                for (side, count) in wanted {
                    let lists = [("token", 1), ("top", 2), ("token_ids", 3)].map { name, width in
                        (meta["\(side)_\(name)_logprobs"]?.arrayValue ?? [], name == "token" ? nil : width)
                    }
                    for (list, width) in lists {
                        #expect(list.count == count, "\(side)")
                        for (index, entry) in list.enumerated() where side == "output" || index > 0 {
                            let tuples = width == nil ? [entry] : entry.arrayValue ?? []
                            #expect(tuples.count == width ?? 1)
                            #expect(tuples.allSatisfy { $0[0]?.doubleValue ?? 1 <= 0 && $0[1]?.intValue != nil })
                            #expect(tuples.allSatisfy { $0.arrayValue?.count == 3 })
                        }
                    }
                }
                #expect(meta["input_token_logprobs"]?[0]?[0] == .null)
            }
        }

        @Test func anAbortedStreamEndsAndHoldsNothing() throws {
            let server = try Server.shared
            var body = request(Self.prompts[0], tokens: 3000)
            body["rid"] = "to-be-aborted"
            body["stream"] = true
            let connection = try HTTPConnection(port: server.port)
            try connection.send("/generate", .object(body))
            _ = try connection.head()
            var last: JSONValue = .null
            let isWhole = try connection.events { frame in
                if last == .null {
                    let answer = try server.request("/abort_request", ["rid": "to-be-aborted"])
                    #expect(answer.status == 200)
                }
                last = frame
                return true
            }
            #expect(isWhole)
            let outcome = try Generated(last).outcome
            #expect(outcome.finish["type"] == "abort")
            #expect(outcome.ids.count < 3000)
            try poll("an aborted request still runs") { try server.load()["num_used_tokens"] == 0 ? () : nil }
        }
    }
}
