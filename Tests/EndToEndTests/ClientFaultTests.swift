import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Clients that leave, that ask for what cannot be, or that send nonsense: everybody else is served as if alone.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(3))) struct ClientFaultTests {
        /// Room for outputs that no machine computes while a test runs.
        private static let longest = [
            "--json-model-override-args", #"{"max_position_embeddings": 131072}"#, "--incremental-streaming-output",
        ]

        private static func request(_ text: String, tokens: Int, rid: String? = nil) -> JSONObject {
            var body: JSONObject = [
                "text": .string(text),
                "sampling_params": ["temperature": 0, "max_new_tokens": .int(Int64(tokens)), "ignore_eos": true],
            ]
            if let rid { body["rid"] = .string(rid) }
            return body
        }

        @Test func twoHundredClientsThatLeaveAtOnceLeaveNothing() throws {
            try withServer("llama-tied", Self.longest + ["--max-total-tokens", "200000"]) { server in
                try server.awaitIdleness()
                let before = try server.descriptors()
                var connections = try (0..<200).map { index in
                    let connection = try HTTPConnection(port: server.port)
                    var body = Self.request("Day \(index)", tokens: 100_000)
                    body["stream"] = true
                    try connection.send("/generate", .object(body))
                    return connection
                }
                for connection in connections { #expect(try connection.head().status == 200) }
                try poll("not all are there") {
                    let load = try server.load()
                    let count = (load["num_running_reqs"]?.intValue ?? 0) + (load["num_waiting_reqs"]?.intValue ?? 0)
                    return count == 200 ? () : nil
                }
                let lines = server.process.lines.count
                let end = Date()
                connections = []
                try server.awaitIdleness(since: end)
                try poll("descriptors: \(before), now \((try? server.descriptors()) ?? [:])") {
                    try server.descriptors() == before ? () : nil
                }
                let complaints = server.process.lines.dropFirst(lines).filter {
                    $0.contains("ERROR") || $0.contains("WARNING")
                }
                #expect(complaints == [])
            }
        }

        /// SGLang's abort goes by the beginning of the name, so a shorter name reaches the longer ones and never the reverse.
        @Test func anAbortReachesTheNamesThatBeginWithItAndNoOthers() throws {
            try withServer("llama-tied", Self.longest) { server in
                let names = ["job-1", "job-10", "job-2"]
                let plain = try server.single(Self.request("The keeper", tokens: 500)).outcome
                let frames = EventBoard([Int: Int]())
                let crew = started(3) { index in
                    let tokens = names[index] == "job-2" ? 500 : 100_000
                    return try server.streamed(
                        Self.request("The keeper", tokens: tokens, rid: names[index]), incremental: true
                    ) { count in frames.update { $0[index] = count } }.outcome
                }
                #expect(frames.wait { $0.count == 3 ? () : nil } != nil)
                #expect(try server.request("/abort_request", ["rid": "job-10"]).status == 200)
                try poll("job-10 goes on") { try server.load()["num_running_reqs"]?.intValue ?? 3 < 3 ? () : nil }
                // The shorter name goes on.
                let seen = frames.now[0] ?? 0
                #expect(frames.wait { ($0[0] ?? 0) > seen + 20 ? () : nil } != nil)
                #expect(try server.request("/abort_request", ["rid": "job-1"]).status == 200)
                let outcomes = try crew.results()
                #expect(outcomes[0].finish["type"] == "abort" && outcomes[1].finish["type"] == "abort")
                #expect(outcomes[0].ids.count > seen + 20)
                #expect(outcomes[2] == plain)
            }
        }

        @Test func aRequestLargerThanThePoolFailsOrEndsAlone() throws {
            let slots = 512
            let flags = Self.longest + ["--max-total-tokens", "\(slots)"]
            try withServer("llama-tied", flags) { server in
                let small = (0..<6).map { Self.request("Day \($0) of rain", tokens: 60 + $0) }
                let alone = try small.map { try server.single($0).outcome }
                let crew = started(small.count) { try server.single(small[$0]).outcome }
                let long = started(1) { _ in
                    try server.single(Self.request("The keeper climbed", tokens: 100_000)).outcome
                }
                let ids = JSONValue.array((0..<slots + 1).map { .int(Int64(10 + $0 % 300)) })
                let refused = try server.request(
                    "/generate", ["input_ids": ids, "sampling_params": ["max_new_tokens": 4]])
                #expect(refused.status == 400)
                #expect(refused.text.contains("\(slots + 1) tokens"))
                #expect(try crew.results() == alone)
                // One whose output alone is too large gets as much as there is room for.
                let outcome = try #require(try long.results().first)
                #expect(outcome.finish["type"] == "length")
                #expect((slots - 30...slots).contains(outcome.promptTokens + outcome.completionTokens))
                try server.awaitIdleness()
            }
        }

        @Test func nonsenseIsRefusedWhileOthersAreServed() throws {
            try withServer("llama-tied", Self.longest) { server in
                let question = Self.request("The keeper climbed", tokens: 800)
                let alone = try server.single(question).outcome
                let frames = EventBoard(0)
                let crew = started(1) { _ in
                    try server.streamed(question, incremental: true) { count in frames.update { $0 = count } }.outcome
                }
                #expect(frames.wait { $0 > 0 ? () : nil } != nil)
                let depth = 10_000
                let schema =
                    String(repeating: #"{"type":"array","items":"#, count: depth) + "{}"
                    + String(repeating: "}", count: depth)
                var grammar = question
                grammar["sampling_params"] = ["json_schema": .string(schema), "max_new_tokens": 4]
                let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                #expect(try server.request("/generate", .object(grammar)).status == 400)
                #expect(try server.raw("/generate", #"{"text": "a", "x": "# + nested + "}").status == 400)
                #expect(try server.raw("/generate", nested).status == 400)
                let recording = try server.request("/start_expert_distribution_record", method: "POST")
                #expect(recording.status == 400)
                #expect((try? recording.json()) != nil)
                #expect(try crew.results() == [alone])
                for (title, process) in try server.table() { #expect(process["restarts"] == 0, "\(title)") }
            }
        }
    }
}
