import Glibc
import HTTPFront
import JSON
import Messages
import PipeStages
import Testing

/// What operators ordered holds for the fronts and workers that come later.
@Suite struct StandingOrderTests {
    /// Calls with a descriptor of fresh memory.
    private func withMemory(_ body: (Int32) async throws -> Void) async throws {
        var template = Array("/tmp/srtorders.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        defer { close(descriptor) }
        try await body(descriptor)
    }

    /// Kinds of commands as the pipe gets them: "pause", "resume", "generate".
    private func kinds(_ front: LocalFront) -> [String] {
        front.commands.compactMap { command in
            switch command.command {
            case .generate?: return "generate"
            case .control(let call)?:
                if case .pause(let pause)? = call.kind { return pause.mode == .inPlace ? "pause" : "other pause" }
                if case .resume? = call.kind { return "resume" }
                return nil
            default: return nil
            }
        }
    }

    /// Waits until the pipe got so many commands of these kinds.
    private func kinds(_ front: LocalFront, count: Int) async -> [String] {
        while kinds(front).count < count, !Task.isCancelled { await Task.yield() }
        return kinds(front)
    }

    @Test(.timeLimit(.minutes(1))) func aNewWorkerIsPausedBeforeItGetsRequests() async throws {
        let server = LocalFront()
        #expect(try await server.post("/pause_generation", #"{"mode":"retract"}"#).status == 200)
        let held = Task { try await server.post("/generate", #"{"text":"hold"}"#) }
        _ = await kinds(server, count: 2)
        server.front.handle(.ready(worker: 2))
        #expect(await kinds(server, count: 4) == ["other pause", "generate", "pause", "generate"])
        #expect(try await server.get("/ready").status == 503)
        #expect(try await server.post("/abort_request", #"{"abort_all":true}"#).status == 200)
        _ = try await held.value
    }

    @Test(.timeLimit(.minutes(1))) func aNewFrontKnowsThatTheServerIsPaused() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(sessions: memory)
            #expect(try await first.post("/pause_generation", #"{"mode":"in_place"}"#).status == 200)
            let second = LocalFront(generation: 2, sessions: memory)
            #expect(try await second.get("/ready").status == 503)
            #expect(await kinds(second, count: 1) == ["pause"])
            #expect(try await second.post("/continue_generation", "{}").status == 200)
            let third = LocalFront(generation: 3, sessions: memory)
            #expect(try await third.get("/ready").status == 200)
            // The second may have died before the worker heard it.
            #expect(await kinds(third, count: 1) == ["resume"])
        }
    }

    @Test func aNewFrontKnowsWhatTheWeightsAreCalled() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(sessions: memory)
            #expect(try await first.post("/update_weight_version", #"{"new_version":"v2"}"#).status == 200)
            let second = LocalFront(generation: 2, sessions: memory)
            #expect(try JSON.parse(try await second.get("/model_info").body)["weight_version"] == "v2")
            #expect(try await second.post("/generate", #"{"text":"a"}"#).body.contains(#""weight_version":"v2""#))
        }
    }

    @Test func aPauseThatTheWorkerRefusesHoldsForNobody() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(sessions: memory) { command in
                guard case .control(let call)? = command.command else { return EchoStages.answer(command) }
                return [
                    .make {
                        $0.control = .make {
                            $0.call = call.call
                            $0.message = "no"
                        }
                    }
                ]
            }
            #expect(try await first.post("/pause_generation", #"{"mode":"in_place"}"#).status == 400)
            #expect(try await first.get("/ready").status == 200)
            #expect(try await LocalFront(generation: 2, sessions: memory).get("/ready").status == 200)
        }
    }

    @Test func aServerThatWasNeverPausedTellsNobodyAnything() async throws {
        let server = LocalFront()
        #expect(try await server.post("/generate", #"{"text":"a"}"#).status == 200)
        #expect(kinds(server) == ["generate"])
    }
}
