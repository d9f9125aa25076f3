import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// SIGKILL of child processes: replaced, logged, and, but for the front's connections, nobody notices.
    @Suite(
        .serialized, .share(.half), .timeLimit(.minutes(3)),
        .server("llama-tied", Workload.flags + ["--max-restarts", "20"]))
    struct ChildDeathTests {
        private let question: JSONObject = [
            "text": "The keeper climbed", "sampling_params": ["temperature": 0, "max_new_tokens": 24],
            "return_logprob": true,
        ]

        @Test(arguments: Title.children) func anIdleProcessIsReplacedAndTheNextRequestSucceeds(_ title: String) throws {
            let server = try Server.shared
            let before = try server.single(question)
            let restarts = try server.table()[title]?["restarts"]?.intValue ?? 0
            try server.kill([try server.incarnation(of: title)])
            let after = try server.single(question)
            #expect(after.outcome == before.outcome)
            try server.allReady()
            let entry = try server.table()[title]
            #expect(entry?["restarts"]?.intValue == restarts + 1)
            #expect(entry?["last_exit"]?["signal"]?.intValue == Int(SIGKILL))
            #expect(try server.request("/health").status == 200)
        }

        @Test(arguments: [
            [Title.worker], [Title.tokenizer], [Title.detokenizer], [Title.tokenizer, Title.worker, Title.detokenizer],
        ])
        func runningRequestsEndAsIfNothingHappened(_ titles: [String]) throws {
            let undisturbed = try Workload.undisturbed.get()
            try withServer(Workload.model, Workload.flags) { server in
                let victims = try titles.map { try server.incarnation(of: $0) }
                let run = Workload.start(on: server)
                try run.haveFrames(1)
                try server.kill(victims)
                let outcomes = try run.outcomes()
                for (index, pair) in zip(outcomes, undisturbed).enumerated() {
                    #expect(pair.0 == pair.1, "request \(index) after the death of \(titles)")
                    #expect(pair.0.ids.count == Workload.tokens - index * 7)
                }
            }
        }

        @Test func aRequestOutlivesAnyNumberOfKills() throws {
            let server = try Server.shared
            try server.allReady()
            let request: JSONObject = [
                "text": "The keeper climbed",
                "sampling_params": [
                    "temperature": 1, "sampling_seed": 9, "max_new_tokens": 4000, "ignore_eos": true,
                ],
            ]
            let undisturbed = try server.streamed(request, incremental: true).outcome
            let frames = EventBoard(0)
            let crew = started(1) { _ in
                try server.streamed(request, incremental: true) { count in frames.update { $0 = count } }.outcome
            }
            var worker = try server.incarnation(of: Title.worker)
            for _ in 0..<7 {
                // Some progress between two deaths; far less than the whole, so that the last comes before the end.
                let seen = frames.now
                let more: Void? = frames.wait { $0 > seen + 20 || crew.ended > 0 ? () : nil }
                try #require(more != nil && crew.ended == 0)
                worker = try server.kill([worker])[0]
            }
            #expect(try crew.results() == [undisturbed])
        }

        @Test func aRequestOfTwoWorkerCrashesFailsAlone() throws {
            let server = try Server.shared
            try server.allReady()
            let frames = EventBoard(0)
            var request = Workload.requests[0]
            request["sampling_params"] = ["temperature": 0, "max_new_tokens": 3000, "ignore_eos": true]
            let (body, port) = (request, server.port)
            let crew = started(1) { _ in
                var body = body
                body["stream"] = true
                let connection = try HTTPConnection(port: port)
                try connection.send("/generate", .object(body))
                let status = try connection.head().status
                var last = JSONValue.null
                let isDone = try connection.events {
                    last = $0
                    frames.update { $0 += 1 }
                    return true
                }
                return (status, isDone, last)
            }
            var worker = try server.incarnation(of: Title.worker)
            for _ in 0..<2 {
                let seen = frames.now
                let more: Void? = frames.wait { $0 > seen || crew.ended > 0 ? () : nil }
                try #require(more != nil && crew.ended == 0)
                worker = try server.kill([worker], SIGSEGV)[0]
            }
            let bystander = try server.single(question)
            let (status, isDone, last) = try #require(try crew.results().first)
            #expect(status == 200 && isDone)
            #expect(last["error"]?["message"]?.stringValue?.isEmpty == false)
            #expect(last["error"]?["code"]?.intValue == 500)
            #expect(bystander.outcome.completionTokens == 24)
        }

        @Test func whenTheFrontDiesThePortStaysOpenAndOldRequestsAreDropped() throws {
            let server = try Server.shared
            try server.allReady()
            let before = try server.single(question)
            let front = try server.incarnation(of: Title.http)
            let run = Workload.start(on: server)
            try run.haveFrames(1)
            let isOver = EventBoard(false)
            let port = server.port
            let knocking = started(1) { _ in
                var refusals = 0
                // Every two milliseconds until it is over.
                while isOver.wait(seconds: 0.002, for: { $0 ? () : nil }) == nil {
                    do { _ = try HTTPConnection(port: port) } catch ConnectionError.refused { refusals += 1 }
                }
                return refusals
            }
            defer { isOver.update { $0 = true } }
            try server.kill([front])
            let after = try server.single(question)
            isOver.update { $0 = true }
            #expect(try knocking.results() == [0])
            #expect(after.outcome == before.outcome)
            #expect(throws: ConnectionError.lost) { try run.crew.results() }
            try poll("the worker keeps what nobody waits for") {
                let load = try server.load()
                return load["num_running_reqs"] == 0 && load["num_waiting_reqs"] == 0 && load["num_used_tokens"] == 0
                    ? () : nil
            }
            try poll("decode states of a dead front") {
                try server.table()[Title.detokenizer]?["running"] == 0 ? () : nil
            }
        }
    }
}
