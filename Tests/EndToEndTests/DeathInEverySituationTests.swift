import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// A process dies while requests wait, have their prompt computed, come in several samples, or continue a conversation.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct DeathInEverySituationTests {
        private static let victims = Title.neighbours.map { [$0] } + [Title.neighbours]

        /// Three may run, so that most wait; prompts come in small pieces.
        private static let crowded =
            Workload.flags + ["--max-running-requests", "3", "--chunked-prefill-size", "32"]

        /// A stream, samples of one prompt, a batch and a scored long prompt, by turns; greedy and seeded.
        private static let requests: [JSONObject] = (0..<8).map { index in
            var sampling: JSONObject = ["max_new_tokens": .int(Int64(1000 + index * 5)), "ignore_eos": true]
            sampling["temperature"] = index % 2 == 0 ? 0 : 0.9
            if index % 2 == 1 { sampling["sampling_seed"] = .int(Int64(300 + index)) }
            var body: JSONObject = ["text": .string("Day \(index): 水位は上がった and the keeper "), "return_logprob": true]
            switch index % 4 {
            case 1: sampling["n"] = 3
            case 2: body["text"] = .array((0..<3).map { .string("Batch \(index), item \($0): ") })
            case 3:
                let text = String(repeating: "The level rose by \(index) cm. ", count: 40)
                (body["text"], body["logprob_start_len"]) = (.string(text), 0)
            default: break
            }
            body["sampling_params"] = .object(sampling)
            return body
        }

        /// Sends all at once: those that have one answer as streams, the others plain.
        private static func start(on server: Server) -> Crew<[Outcome]> {
            started(requests.count) { index in
                switch index % 4 {
                case 0, 3: [try server.streamed(requests[index], incremental: true).outcome]
                default: try server.batch(requests[index]).map(\.outcome)
                }
            }
        }

        private static let undisturbed = Result {
            try withServer(Workload.model, crowded) { try start(on: $0).results() }
        }

        @Test(arguments: victims) func requestsThatRunAndRequestsThatWaitGoOn(_ titles: [String]) throws {
            let undisturbed = try Self.undisturbed.get()
            try withServer(Workload.model, Self.crowded) { server in
                let victims = try titles.map { try server.incarnation(of: $0) }
                let crew = Self.start(on: server)
                try poll(
                    "nobody waits: \(crew.ended) ended, failed: \(crew.failures), load: \((try? server.load()) ?? .null)"
                ) {
                    let load = try server.load()
                    let (running, waiting) = (load["num_running_reqs"]?.intValue, load["num_waiting_reqs"]?.intValue)
                    return (running ?? 0) > 0 && (waiting ?? 0) > 3 ? () : nil
                }
                try server.kill(victims)
                try #require(crew.ended < Self.requests.count)
                for (index, pair) in zip(try crew.results(), undisturbed).enumerated() {
                    #expect(pair.0 == pair.1, "request \(index) after the death of \(titles)")
                }
                try server.awaitIdleness()
            }
        }

        @Test(arguments: [[Title.worker], Title.neighbours]) func aPromptThatIsBeingComputedIsComputedAgain(
            _ titles: [String]
        ) throws {
            let flags = Workload.flags + ["--chunked-prefill-size", "8"]
            try withServer(Workload.model, flags) { server in
                let requests = (0..<8).map { index -> JSONObject in
                    let ids = (0..<2000).map { (place: Int) -> Int in 10 + (place * 7 + index * 31) % 300 }
                    return [
                        "input_ids": .array(ids.map { JSONValue.int(Int64($0)) }),
                        "sampling_params": ["temperature": 0, "max_new_tokens": 20, "ignore_eos": true],
                        "return_logprob": true,
                    ]
                }
                let first = try server.single(requests[0]).outcome
                try server.flush()
                let victims = try titles.map { try server.incarnation(of: $0) }
                let frames = EventBoard(Set<Int>())
                let crew = started(requests.count) { index in
                    try server.streamed(requests[index], incremental: true) { _ in
                        frames.update { _ = $0.insert(index) }
                    }.outcome
                }
                try poll("no prompt is computed") {
                    try server.load()["num_used_tokens"]?.intValue ?? 0 > 0 ? () : nil
                }
                try server.kill(victims)
                #expect(frames.now.count < requests.count, "all prompts were computed before")
                let outcomes = try crew.results()
                #expect(outcomes[0] == first)
                // The others as the server gives them now that nothing happens.
                for index in [3, 7] { #expect(try server.single(requests[index]).outcome == outcomes[index]) }
            }
        }

        @Test func conversationsGoOn() throws {
            try withServer(Workload.model, Workload.flags) { server in
                func converse(killing title: String?) throws -> [Outcome] {
                    let name = title ?? "undisturbed"
                    #expect(
                        try server.request("/open_session", ["capacity_of_str_len": 9000, "session_id": .string(name)])
                            .status == 200)
                    var outcomes: [Outcome] = []
                    for turn in 0..<3 {
                        var place: JSONObject = ["id": .string(name)]
                        if turn > 0 { place["rid"] = .string("\(name)-\(turn - 1)") }
                        let body: JSONObject = [
                            "text": .string("Turn \(turn): the keeper "), "rid": .string("\(name)-\(turn)"),
                            "session_params": .object(place), "return_logprob": true,
                            "sampling_params": [
                                "temperature": 0.8, "sampling_seed": 5, "max_new_tokens": .int(turn == 1 ? 400 : 20),
                                "ignore_eos": true,
                            ],
                        ]
                        let victim = turn == 1 ? try title.map { try server.incarnation(of: $0) } : nil
                        let frames = EventBoard(0)
                        let crew = started(1) { _ in
                            try server.streamed(body, incremental: true) { count in frames.update { $0 = count } }
                        }
                        if let victim {
                            #expect(frames.wait { $0 > 0 ? () : nil } != nil)
                            try server.kill([victim])
                        }
                        outcomes += try crew.results().map(\.outcome)
                    }
                    return outcomes
                }
                let undisturbed = try converse(killing: nil)
                #expect(undisturbed[2].promptTokens > 400)
                for title in Title.neighbours { #expect(try converse(killing: title) == undisturbed, "\(title)") }
            }
        }
    }
}
