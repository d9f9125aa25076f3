import Glibc
import HTTPFront
import JSON
import Messages
import PipeStages
import ServerSettings
import Testing

/// The endpoints of the expert distribution recorder, and what outlives workers and fronts of it.
@Suite struct ExpertRecordTests {
    private static let verbs = ["start", "stop", "dump"]

    private func settings() -> FrontSettings {
        var settings = FrontSettings.served()
        settings.expertRecorderMode = .stat
        return settings
    }

    /// The orders about the record that the pipe got.
    private func orders(_ front: LocalFront) -> [ExpertRecording.Action] {
        front.commands.compactMap { command in
            guard case .control(let call)? = command.command, case .experts(let order)? = call.kind else { return nil }
            return order.action
        }
    }

    /// Waits until the pipe got so many.
    private func orders(_ front: LocalFront, count: Int) async -> [ExpertRecording.Action] {
        while orders(front).count < count, !Task.isCancelled { await Task.yield() }
        return orders(front)
    }

    private func withMemory(_ body: (Int32) async throws -> Void) async throws {
        var template = Array("/tmp/srtexperts.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        defer { close(descriptor) }
        try await body(descriptor)
    }

    @Test(arguments: ["GET", "POST"]) func theBodiesAreSGLangs(_ method: String) async throws {
        let server = LocalFront(settings())
        let expected = [
            "start": "Start recording the expert distribution.\n", "stop": "Stop recording the expert distribution.\n",
            "dump": "Dump expert distribution record.\n",
        ]
        for verb in Self.verbs {
            let answer = try await server.front.answer(method, "/\(verb)_expert_distribution_record")
            #expect(answer.status == 200 && answer.body == expected[verb])
            let path = verb == "dump" ? "/tmp/expert_distribution_recorder_1.5.pt" : nil
            #expect(answer.headers["x-expert-distribution-file"] == path)
        }
        #expect(orders(server) == [.start, .stop, .dump])
    }

    @Test(arguments: verbs) func withoutAModeNothingIsRecorded(_ verb: String) async throws {
        let server = LocalFront()
        let answer = try await server.post("/\(verb)_expert_distribution_record", "")
        #expect(answer.status == 400)
        #expect(
            try JSON.parse(answer.body) == [
                "error": [
                    "message":
                        "Please set ServerArgs.expert_distribution_recorder_mode to use ExpertDistributionRecorder."
                ]
            ])
        #expect(orders(server) == [])
    }

    @Test(.timeLimit(.minutes(1))) func aNewWorkerGoesOnRecording() async throws {
        let server = LocalFront(settings())
        #expect(try await server.post("/start_expert_distribution_record", "").status == 200)
        server.front.handle(.ready(worker: 2))
        #expect(await orders(server, count: 2) == [.start, .resume])
        #expect(try await server.post("/stop_expert_distribution_record", "").status == 200)
        server.front.handle(.ready(worker: 3))
        #expect(await orders(server, count: 4) == [.start, .resume, .stop, .rest])
    }

    @Test(.timeLimit(.minutes(1))) func aNewFrontKnowsWhetherThereIsARecording() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(settings(), sessions: memory)
            #expect(try await first.post("/start_expert_distribution_record", "").status == 200)
            let second = LocalFront(settings(), generation: 2, sessions: memory)
            #expect(await orders(second, count: 1) == [.resume])
        }
    }

    @Test func aRefusedOrderHoldsForNobody() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(settings(), sessions: memory) { command in
                guard case .control(let call)? = command.command else { return EchoStages.answer(command) }
                return [
                    .make {
                        $0.control = .make {
                            $0.call = call.call
                            $0.message = "no experts"
                        }
                    }
                ]
            }
            let answer = try await first.post("/start_expert_distribution_record", "")
            #expect(answer.status == 400 && answer.body.contains("no experts"))
            let second = LocalFront(settings(), generation: 2, sessions: memory)
            #expect(try await second.post("/generate", #"{"text":"a"}"#).status == 200)
            #expect(!orders(second).contains(.resume))
        }
    }

    @Test func anAnswerCarriesTheExpertsInBase64() async throws {
        var settings = FrontSettings.served()
        settings.enableReturnRoutedExperts = true
        let server = LocalFront(settings) { command in
            var replies = EchoStages.answer(command)
            guard case .generate(let generate)? = command.command, generate.options.hasRoutedExpertsFrom else {
                return replies
            }
            replies[replies.count - 1].text.routedExperts = [
                .make {
                    $0.row = 0
                    $0.ids = [1, 2, Int32(generate.options.routedExpertsFrom)]
                }
            ]
            return replies
        }
        let body = #"{"text":"ab","return_routed_experts":true,"routed_experts_start_len":1}"#
        let answer = try JSON.parse(try await server.post("/generate", body).body)
        #expect(answer["meta_info"]?["routed_experts"] == "AQAAAAIAAAABAAAA")
        for path in ["/v1/completions", "/v1/chat/completions"] {
            let text = #""prompt":"ab","messages":[{"role":"user","content":"ab"}],"return_routed_experts":true"#
            let whole = try JSON.parse(try await server.post(path, "{\(text)}").body)
            #expect(whole["sglext"]?["routed_experts"] == "AQAAAAIAAAAAAAAA", "\(path)")
            let stream = try await server.post(path, "{\(text),\"stream\":true}")
            #expect(stream.body.contains(#""sglext":{"routed_experts":"AQAAAAIAAAAAAAAA"}"#), "\(path)")
            let refusal = try await LocalFront().post(path, "{\(text)}")
            #expect(refusal.status == 400 && refusal.body.contains("--enable-return-routed-experts"))
        }
        let plain = try JSON.parse(try await server.post("/generate", #"{"text":"ab"}"#).body)
        #expect(plain["meta_info"]?["routed_experts"] == nil)
        let negative = #"{"text":"ab","return_routed_experts":true,"routed_experts_start_len":-1}"#
        #expect(try await server.post("/generate", negative).status == 400)
        let refusal = try await LocalFront().post("/generate", body)
        #expect(refusal.status == 400 && refusal.body.contains("--enable-return-routed-experts"))
    }
}
