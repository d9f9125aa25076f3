import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// SIGSTOP: a process that neither dies nor works is noticed, told of, and replaced.
    ///
    /// It takes ten seconds until one counts as hanging, so all cases wait at the same time.
    @Suite(.serialized, .share(.whole), .timeLimit(.minutes(3))) struct HangTests {
        private static let question: JSONObject = [
            "text": "The keeper climbed", "sampling_params": ["temperature": 0, "max_new_tokens": 24],
        ]
        private static let cases = Title.neighbours + [Title.http, Title.worker + "_TP1"]

        @Test func aStoppedProcessIsReplacedAndWorkGoesOn() throws {
            let undisturbed = try Workload.undisturbed.get()
            _ = try concurrently(Self.cases.count) { index in
                let title = Self.cases[index]
                switch title {
                case Title.http: try Self.stopTheFront()
                case let rank where rank.hasSuffix("_TP1"):
                    let flags = Workload.flags + ["--tp", "2"]
                    let together = try withServer(Workload.model, flags) { try Workload.start(on: $0).outcomes() }
                    try withServer(Workload.model, flags) { try Self.stop(rank, of: $0, expecting: together) }
                default:
                    try withServer(Workload.model, Workload.flags) {
                        try Self.stop(title, of: $0, expecting: undisturbed)
                    }
                }
            }
        }

        /// Stops one of the processes behind the front under work.
        private static func stop(_ title: String, of server: Server, expecting undisturbed: [Outcome]) throws {
            let victim = try server.incarnation(of: title)
            let run = Workload.start(on: server)
            try run.haveFrames(1)
            let start = server.process.lines.count
            try server.halt(victim)
            // One more that comes while it is stopped.
            let late = started(1) { _ in try server.single(question).outcome.completionTokens }
            try poll("/health says nothing of the stopped \(title)") {
                try server.request("/health").status == 503 ? () : nil
            }
            if title == Title.worker { try expectStaleInformation(server) }
            try server.process.line(
                from: start, with: "\(title) (pid \(victim.pid), generation 1) hangs: no heartbeat for")
            try server.replacements(of: [victim], since: start, cause: "no heartbeat for")
            for (index, pair) in zip(try run.outcomes(), undisturbed).enumerated() {
                #expect(pair.0 == pair.1, "request \(index) after \(title) was stopped")
            }
            #expect(try late.results() == [24])
            try server.allReady()
            let entry = try server.table()[title]
            #expect(entry?["last_exit"]?["signal"]?.intValue == Int(SIGKILL), "\(title)")
            #expect(entry?["last_exit"]?["reason"]?.stringValue?.contains("no heartbeat for") == true, "\(title)")
            #expect(try server.request("/health").status == 200, "\(title)")
        }

        /// What is known without the worker is told while it is stopped.
        private static func expectStaleInformation(_ server: Server) throws {
            let information = try server.request("/server_info").json()
            #expect(information["stale"] == true)
            #expect(information["internal_states"] == [])
            #expect((information["max_total_num_tokens"]?.intValue ?? 0) > 0)
        }

        /// The front: who comes while it is stopped waits at the port and is answered by the next one.
        private static func stopTheFront() throws {
            try withServer("llama-tied") { server in
                let before = try server.single(question).outcome
                let victim = try server.incarnation(of: Title.http)
                let start = server.process.lines.count
                try server.halt(victim)
                let late = started(4) { _ in try server.single(question).outcome }
                try server.replacements(of: [victim], since: start, cause: "no heartbeat for")
                #expect(try late.results() == Array(repeating: before, count: 4))
                try server.allReady()
                #expect(try server.request("/health").status == 200)
            }
        }
    }
}
