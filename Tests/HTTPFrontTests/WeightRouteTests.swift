import APICore
import ChildRuntime
import Glibc
import HTTPFront
import JSON
import Ledger
import Messages
import PipeStages
import ServerSettings
import Synchronization
import Testing

/// What a front does about weights and memory.
@Suite(.timeLimit(.minutes(1))) struct WeightRouteTests {
    /// Calls with descriptors of fresh memory.
    private func withMemory(_ body: (_ sessions: Int32, _ weights: Int32) async throws -> Void) async throws {
        func memory() -> Int32 {
            var template = Array("/tmp/srtfront.XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            unlink(template)
            return descriptor
        }
        let (sessions, weights) = (memory(), memory())
        defer {
            close(sessions)
            close(weights)
        }
        try await body(sessions, weights)
    }

    private func updates(_ front: LocalFront) -> [ControlCall] {
        front.commands.compactMap { command in
            guard case .control(let call)? = command.command, case .updateWeights? = call.kind else { return nil }
            return call
        }
    }

    @Test func anUpdateIsOrderedAndItsAnswerTold() async throws {
        let server = LocalFront()
        for path in ["/update_weights_from_disk", "/update_weights"] {
            let answer = try await server.post(
                path,
                #"{"model_path":"/weights/new","weight_version":"v2","abort_all_requests":true,"flush_cache":false}"#)
            #expect(answer.status == 200)
            #expect(
                answer.body
                    == #"{"success":true,"message":"Succeeded to update model weights.","num_paused_requests":0}"#)
        }
        let call = try #require(updates(server).first)
        #expect(call.updateWeights.order == call.call && call.updateWeights.path == "/weights/new")
        #expect(
            call.updateWeights.abortsRequests && call.updateWeights.keepsCache && call.updateWeights.version == "v2")
        #expect(call.updateWeights.loadFormat == "auto")
    }

    @Test(arguments: [
        #"{}"#, #"{"model_path":5}"#, #"{"model_path":""}"#, #"{"model_path":"/weights/a","load_format":"pt"}"#,
        #"{"model_path":"/weights/a","flush_cache":"maybe"}"#,
    ])
    func whatIsNoUpdateReachesNobody(_ body: String) async throws {
        let server = LocalFront()
        #expect(try await server.post("/update_weights_from_disk", body).status == 400)
        #expect(updates(server).isEmpty)
    }

    /// Lets a process end whenever an update has gone out, up to `deaths` times; the pipe answers the one after the last.
    private func server(deaths: Int) -> LocalFront {
        let seen = Atomic<Int>(0)
        return LocalFront { command in
            guard case .control(let call)? = command.command, case .updateWeights? = call.kind else {
                return EchoStages.answer(command)
            }
            return seen.wrappingAdd(1, ordering: .relaxed).newValue <= deaths ? [] : EchoStages.answer(command)
        }
    }

    @Test func anOrderGoesOutAgainWhereAProcessEnded() async throws {
        let server = server(deaths: 2)
        let answer = Task { try await server.post("/update_weights_from_disk", #"{"model_path":"/weights/new"}"#) }
        for generation in 2...3 as ClosedRange<UInt64> {
            while updates(server).count < Int(generation) - 1 { await Task.yield() }
            server.front.handle(.ready(worker: 2, tokenizer: generation == 2 ? 1 : 2))
        }
        #expect(try await answer.value.status == 200)
        let calls = updates(server)
        #expect(
            calls.count == 3 && Set(calls.map(\.call)).count == 1 && Set(calls.map(\.updateWeights.order)).count == 1)
    }

    @Test func whatEndsTheProcessesAgainAndAgainIsGivenUp() async throws {
        let server = server(deaths: 100)
        let answer = Task { try await server.post("/update_weights_from_disk", #"{"model_path":"/weights/new"}"#) }
        for generation in 2...5 as ClosedRange<UInt64> {
            while updates(server).count < Int(generation) - 1 { await Task.yield() }
            server.front.handle(.ready(worker: generation))
        }
        let result = try await answer.value
        #expect(result.status == 400 && result.body.contains("Rolling back to original weights."))
        #expect(updates(server).count == 4)
    }

    @Test func theFrontTellsWhatIsWrittenDown() async throws {
        try await withMemory { sessions, weights async throws in
            let server = LocalFront(sessions: sessions, weights: weights)
            func info() async throws -> [JSONValue?] {
                let info = try JSON.parse(try await server.get("/model_info").body)
                return [info["model_path"], info["served_model_name"], info["weight_version"]]
            }
            let before = try await info()
            #expect(before[2] == "default")
            let keepsake = WeightsKeepsake(descriptor: weights)
            #expect(keepsake.write(.make { ($0.number, $0.path) = (1, "/weights/1") }))
            #expect(try await info() == ["/weights/1", "/weights/1", "default"])
            #expect(
                keepsake.write(.make { ($0.number, $0.path, $0.version, $0.namedAt) = (2, "/weights/2", "v2", 2) }))
            #expect(try await info() == ["/weights/2", "/weights/2", "v2"])
            // A name that an operator gave holds until weights come with another one.
            #expect(try await server.post("/update_weight_version", #"{"new_version":"own"}"#).status == 200)
            #expect(try await info()[2] == "own")
            #expect(
                keepsake.write(.make { ($0.number, $0.path, $0.version, $0.namedAt) = (3, "/weights/3", "v2", 2) }))
            #expect(try await info()[2] == "own")
            #expect(
                keepsake.write(.make { ($0.number, $0.path, $0.version, $0.namedAt) = (4, "/weights/4", "v4", 4) }))
            #expect(try await info()[2] == "v4")
            let other = LocalFront(generation: 2, sessions: sessions, weights: weights)
            #expect(try JSON.parse(try await other.get("/model_info").body)["weight_version"] == "v4")
        }
    }

    /// Answers ask for a number's name and never what is served now.
    @Test func aNewNameCountsAtOnceForAnswersThatAreUnderWay() {
        let names = WeightNames(
            descriptor: nil, orders: FrontKeepsake(descriptor: nil) { 0 }, path: "/weights", version: "default")
        #expect(names.current.version == "default")
        names.rename("v2")
        #expect(names.version(of: 0) == "v2")
    }

    private func memorySettings() -> FrontSettings {
        var settings = FrontSettings.served()
        settings.enableMemorySaver = true
        return settings
    }

    private func memoryOrders(_ front: LocalFront) -> [String] {
        front.commands.compactMap { command in
            guard case .control(let call)? = command.command else { return nil }
            switch call.kind {
            case .releaseMemory(let order)?:
                return "release \(order.tags.joined(separator: ","))\(order.isStanding ? " standing" : "")"
            case .resumeMemory(let order)?:
                return "resume \(order.tags.joined(separator: ","))\(order.isStanding ? " standing" : "")"
            default: return nil
            }
        }
    }

    @Test func whatIsReleasedHoldsForFrontsAndWorkersToCome() async throws {
        try await withMemory { sessions, _ async throws in
            let first = LocalFront(memorySettings(), sessions: sessions)
            #expect(try await first.post("/resume_memory_occupation", "{}").status == 400)
            let released = try await first.post("/release_memory_occupation", #"{"tags":["weights","kv_cache"]}"#)
            #expect(released.status == 200 && released.body == "null")
            #expect(try await first.get("/ready").status == 503)
            first.front.handle(.ready(worker: 2))
            while memoryOrders(first).count < 2 { await Task.yield() }
            #expect(memoryOrders(first) == ["release weights,kv_cache", "release weights,kv_cache standing"])
            let second = LocalFront(memorySettings(), generation: 2, sessions: sessions)
            #expect(try await second.get("/ready").status == 503)
            #expect(try await second.post("/resume_memory_occupation", #"{"tags":["kv_cache"]}"#).status == 200)
            #expect(try await second.get("/ready").status == 503)
            #expect(try await second.post("/resume_memory_occupation", "{}").status == 200)
            #expect(try await second.get("/ready").status == 200)
            #expect(
                memoryOrders(second) == ["release weights,kv_cache standing", "resume kv_cache", "resume weights"])
        }
    }

    @Test(arguments: [#"{"tags":["gpu"]}"#, #"{"tags":"weights"}"#, #"{"tags":[1]}"#])
    func otherKindsOfMemoryDoNotExist(_ body: String) async throws {
        let server = LocalFront(memorySettings())
        #expect(try await server.post("/release_memory_occupation", body).status == 400)
        #expect(memoryOrders(server).isEmpty)
    }

    @Test func weightsThatArePushedNeedAWindowAndAreRefusedInIt() async throws {
        let server = LocalFront()
        func message(_ path: String) async throws -> (Int, String) {
            let answer = try await server.post(path, "{}")
            return (answer.status, try JSON.parse(answer.body)["message"]?.stringValue ?? "")
        }
        let outside = "update_weights_from_tensor must run between begin_weight_update() and end_weight_update()"
        #expect(try await message("/update_weights_from_tensor") == (400, outside))
        #expect(try await message("/end_weight_update").0 == 400)
        #expect(try await message("/begin_weight_update") == (200, ""))
        #expect(try await message("/begin_weight_update").0 == 400)
        #expect(try await message("/update_weights_from_tensor").1.contains("/update_weights_from_disk"))
        #expect(try await message("/end_weight_update") == (200, ""))
        #expect(try await message("/update_weights_from_tensor") == (400, outside))
    }

    @Test func checksumsAreToldByRank() async throws {
        let server = LocalFront()
        let answer = try await server.post("/weights_checker", #"{"action":"checksum"}"#)
        #expect(
            answer.body
                == #"{"success":true,"message":"","ranks":[{"rank":0,"checksum":"00ff"},{"rank":1,"checksum":"11aa"}],"per_engine_checksum":"00ff-11aa"}"#
        )
        #expect(try await server.post("/weights_checker", #"{"action":"compare"}"#).status == 400)
    }

    @Test func aSlowServerStaysSlowWhoeverDies() async throws {
        let server = LocalFront()
        #expect(try await server.post("/slow_down", #"{"forward_sleep_time":0.5}"#).body == "null")
        server.front.handle(.ready(worker: 2))
        func sleeps() -> [Double] {
            server.commands.compactMap { command in
                guard case .control(let call)? = command.command, case .slowDown(let seconds)? = call.kind else {
                    return nil
                }
                return seconds
            }
        }
        while sleeps().count < 2 { await Task.yield() }
        #expect(sleeps() == [0.5, 0.5])
        for body in [
            "{}", #"{"forward_sleep_time":-1}"#, #"{"forward_sleep_time":1e9}"#, #"{"forward_sleep_time":"x"}"#,
        ] {
            #expect(try await server.post("/slow_down", body).status == 400)
        }
        #expect(try await server.post("/slow_down", #"{"forward_sleep_time":null}"#).status == 200)
        #expect(sleeps().last == 0)
    }

    @Test func internalStateIsTakenWhereItMeansSomething() async throws {
        let server = LocalFront()
        func set(_ arguments: String) async throws -> String {
            try await server.post("/set_internal_state", #"{"server_args":\#(arguments)}"#).body
        }
        #expect(try await set(#"{"pp_max_micro_batch_size":8}"#) == "[true]")
        #expect(try await set(#"{"pp_max_micro_batch_size":0}"#) == "[false]")
        #expect(try await set(#"{"pp_max_micro_batch_size":8,"speculative_accept_threshold_acc":0.5}"#) == "[false]")
    }
}
