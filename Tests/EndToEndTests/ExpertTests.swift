import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Mixtures of experts: what operators and clients are told of them, whatever dies meanwhile.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(5))) struct ExpertTests {
        private static let model = "qwen2moe"
        private static let flags = [
            "--expert-distribution-recorder-mode", "stat", "--enable-return-routed-experts",
        ]

        /// A prompt of the golden file and what transformers chose for it.
        private struct Golden {
            let ids: [JSONValue]
            let output: [Int]
            /// By layer, of all tokens but the last; nil for a layer without experts.
            let experts: [[Int]?]
            let each = 2
            let count = 6

            init(prompt: Int) throws {
                let path = Fixtures.path(ExpertTests.model) + "/golden.json"
                let file = try JSON.parse(Array(try #require(FileManager.default.contents(atPath: path))))
                let prompt = try #require(file["prompts"]?[prompt])
                ids = try #require(prompt["ids"]?.arrayValue)
                output = try #require(prompt["output_ids"]?.arrayValue).compactMap(\.intValue)
                experts = try #require(prompt["experts"]?.arrayValue).map { layer in
                    layer.arrayValue?.compactMap(\.intValue)
                }
            }

            /// A request for some of its tokens.
            func request(tokens: Int) -> JSONObject {
                [
                    "input_ids": .array(ids), "return_routed_experts": true,
                    "sampling_params": [
                        "temperature": 0, "max_new_tokens": .int(Int64(tokens)), "ignore_eos": true,
                    ],
                ]
            }

            /// How often every expert of a layer was chosen for the first tokens.
            func counts(layer: Int, tokens: Int) -> [Int] {
                var counts = [Int](repeating: 0, count: count)
                for expert in experts[layer]?.prefix(tokens * each) ?? [] { counts[expert] += 1 }
                return counts
            }

            /// The answer's list for the first tokens: position by position, layer by layer.
            func routed(tokens: Int, from start: Int = 0) -> [Int] {
                (start..<tokens).flatMap { token in
                    experts.flatMap { layer in
                        layer.map { Array($0[token * each..<(token + 1) * each]) } ?? [Int](repeating: 0, count: each)
                    }
                }
            }
        }

        private func order(_ verb: String, _ server: Server, method: String = "POST") throws -> HTTPAnswer {
            try server.request("/\(verb)_expert_distribution_record", method: method)
        }

        /// Dumps, reads the table beside the file, and removes both; counts by layer.
        private func dumped(_ server: Server) throws -> [[Int]] {
            let start = server.process.lines.count
            let answer = try order("dump", server)
            #expect(answer.status == 200 && answer.text == "Dump expert distribution record.\n")
            let path = try #require(answer.headers["x-expert-distribution-file"])
            defer {
                for end in [".pt", ".csv"] { try? FileManager.default.removeItem(atPath: path.dropLast(3) + end) }
            }
            try server.process.line(from: start, with: "Write expert distribution to \(path)")
            let head = try #require(FileManager.default.contents(atPath: path)).prefix(4)
            #expect(Array(head) == [0x50, 0x4b, 3, 4], "a zip file, as torch writes them")
            let table = try String(contentsOfFile: path.dropLast(3) + ".csv", encoding: .utf8)
            var counts: [[Int]] = []
            for line in table.split(separator: "\n").dropFirst() {
                let numbers = line.split(separator: ",").compactMap { Int($0) }
                if numbers[0] == counts.count { counts.append([]) }
                counts[numbers[0]].append(numbers[2])
            }
            return counts
        }

        private func routed(_ answer: JSONValue) throws -> [Int] {
            let text = try #require(answer["meta_info"]?["routed_experts"]?.stringValue)
            let bytes = Array(try #require(Data(base64Encoded: text)))
            return bytes.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)).map(Int.init) }
        }

        @Test(arguments: [1, 2]) func theCountsOfADumpAreTheGoldensExpertByExpert(_ ranks: Int) throws {
            let golden = try Golden(prompt: 3)
            try withServer(Self.model, Self.flags + ["--tp", "\(ranks)"]) { server in
                #expect(try order("start", server).text == "Start recording the expert distribution.\n")
                _ = try server.single(golden.request(tokens: 1))
                #expect(try order("stop", server, method: "GET").text == "Stop recording the expert distribution.\n")
                _ = try server.single(golden.request(tokens: 4))
                let tokens = golden.ids.count
                #expect(try dumped(server) == (0..<3).map { golden.counts(layer: $0, tokens: tokens) })
                try server.flush()
                _ = try order("start", server)
                _ = try server.single(golden.request(tokens: 6))
                let counts = try dumped(server)
                #expect(counts == (0..<3).map { golden.counts(layer: $0, tokens: tokens + 5) })
                #expect(counts[0].reduce(0, +) == (tokens + 5) * golden.each && counts[1].allSatisfy { $0 == 0 })
                #expect(try dumped(server).joined().allSatisfy { $0 == 0 }, "a dump forgets")
            }
        }

        @Test func aRecordingOutlivesItsWorkerAndItsFront() throws {
            let golden = try Golden(prompt: 2)
            try withServer(Self.model, Self.flags) { server in
                _ = try order("start", server)
                _ = try server.single(golden.request(tokens: 1))
                let start = server.process.lines.count
                try server.kill([try server.incarnation(of: Title.worker)])
                try server.process.line(from: start, with: "what was recorded before this worker came is lost")
                try server.allReady()
                _ = try server.single(golden.request(tokens: 1))
                try server.kill([try server.incarnation(of: Title.http)])
                try server.allReady()
                let tokens = golden.ids.count
                #expect(try dumped(server) == (0..<3).map { golden.counts(layer: $0, tokens: tokens) })
            }
        }

        @Test func whoCannotRecordSaysSoAndLives() throws {
            let flags = ["--expert-distribution-recorder-mode", "per_token"]
            for (model, flags) in [(Self.model, []), ("llama-tied", flags)] {
                try withServer(model, flags) { server in
                    let worker = try server.incarnation(of: Title.worker)
                    for verb in ["start", "stop", "dump"] {
                        let answer = try order(verb, server)
                        #expect(answer.status == 400)
                        let message = try answer.json()["error"]?["message"]?.stringValue
                        let hint = "Please set ServerArgs.expert_distribution_recorder_mode to use "
                        #expect(message?.hasPrefix(hint + "ExpertDistributionRecorder.") == true)
                    }
                    #expect(try server.incarnation(of: Title.worker).pid == worker.pid)
                    #expect(try server.request("/health_generate").status == 200)
                }
            }
        }

        @Test(arguments: [1, 2]) func answersTellTheExpertsOfEveryToken(_ ranks: Int) throws {
            let golden = try Golden(prompt: 3)
            try withServer(Self.model, Self.flags + ["--tp", "\(ranks)", "--chunked-prefill-size", "16"]) { server in
                let tokens = golden.ids.count + 8 - 1
                for _ in 0..<2 {
                    let answer = try server.generate(golden.request(tokens: 8))
                    #expect(try routed(answer) == golden.routed(tokens: tokens))
                }
                var later = golden.request(tokens: 8)
                later["routed_experts_start_len"] = .int(Int64(golden.ids.count))
                let answer = try server.generate(later)
                #expect(answer["meta_info"]?["cached_tokens"]?.intValue ?? 0 > 0)
                #expect(try routed(answer) == golden.routed(tokens: tokens, from: golden.ids.count))
                later["routed_experts_start_len"] = .int(Int64(golden.ids.count + 1))
                #expect(try server.request("/generate", .object(later)).status == 400)
            }
        }

        @Test(arguments: Title.neighbours) func theExpertsAreTheSameWhoeverDies(_ title: String) throws {
            let flags = Self.flags + Workload.longContext
            var request = try Golden(prompt: 1).request(tokens: 500)
            request["stream"] = true
            /// The last frame, after what happens behind the first one.
            func last(_ server: Server, _ meanwhile: () throws -> Void = {}) throws -> JSONValue {
                let connection = try HTTPConnection(port: server.port)
                try connection.send("/generate", .object(request))
                _ = try connection.head()
                var last = JSONValue.null
                _ = try connection.events { event in
                    if last == .null { try meanwhile() }
                    last = event
                    return true
                }
                return last
            }
            let undisturbed = try withServer(Self.model, flags) { try last($0) }
            #expect(try routed(undisturbed).count == (5 + 500 - 1) * 3 * 2)
            try withServer(Self.model, flags) { server in
                let found = try last(server) { try server.kill([try server.incarnation(of: title)]) }
                #expect(found["output_ids"] == undisturbed["output_ids"])
                #expect(try routed(found) == routed(undisturbed))
            }
        }

        @Test func theDeathOfAnyProcessIsNoticedByNobody() throws {
            let flags = Workload.flags + ["--tp", "2"]
            let undisturbed = try withServer("qwen3moe", flags) { try Workload.start(on: $0).outcomes() }
            for title in [Title.worker + "_TP0", Title.worker + "_TP1", Title.detokenizer] {
                try withServer("qwen3moe", flags) { server in
                    let run = Workload.start(on: server)
                    try run.haveFrames(1)
                    try server.kill([try server.incarnation(of: title)])
                    for (index, pair) in zip(try run.outcomes(), undisturbed).enumerated() {
                        #expect(pair.0 == pair.1, "request \(index) after the death of \(title)")
                    }
                }
            }
        }
    }
}
