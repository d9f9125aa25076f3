import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// What lies in the prefix cache when its worker dies is there for the next one.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(3))) struct KeptCacheTests {
        private static let length = 300
        private static let prompt: JSONObject = [
            "input_ids": .array((0..<length).map { .int(Int64(5 + $0 % 200)) }), "return_logprob": true,
            "sampling_params": ["temperature": 0, "max_new_tokens": 12, "ignore_eos": true],
        ]

        /// What the prompt gives, and how many of its tokens came from the cache.
        private func ask(_ server: Server, _ body: JSONObject = prompt) throws -> (outcome: Outcome, cached: Int) {
            let answer = try server.generate(body)
            return (try Generated(answer).outcome, answer["meta_info"]?["cached_tokens"]?.intValue ?? -1)
        }

        private func kill(_ server: Server, _ title: String, _ signal: Int32 = SIGKILL) throws {
            try server.kill([try server.incarnation(of: title)], signal)
            try server.allReady()
        }

        @Test(arguments: [("", 1), ("", 2), ("gemma3", 2), ("gpt-oss", 1), ("qwen3moe", 2)])
        func whoeverComesAfterAKillGoesOnWithIt(_ model: String, _ ranks: Int) throws {
            let model = model.isEmpty ? Workload.model : model
            let titles = ranks == 1 ? [Title.worker] : (0..<ranks).map { Title.worker + "_TP\($0)" }
            let flags = ["--tp", "\(ranks)"] + (model == Workload.model ? Workload.longContext : [])
            try withServer(model, flags) { server in
                let first = try ask(server)
                #expect(first.cached == 0)
                for title in titles + titles {
                    try kill(server, title)
                    let again = try ask(server)
                    #expect(again.cached == Self.length - 1, "after a kill of \(title)")
                    #expect(again.outcome == first.outcome)
                }
                // What was flushed stays away.
                try server.flush()
                try kill(server, titles[0])
                let anew = try ask(server)
                #expect(anew.cached == 0 && anew.outcome == first.outcome)
            }
        }

        @Test func aCrashBeginsWithAnEmptyCache() throws {
            try withServer(Workload.model, Workload.longContext) { server in
                let first = try ask(server)
                try kill(server, Title.worker, SIGSEGV)
                let again = try ask(server)
                #expect(again.cached == 0 && again.outcome == first.outcome)
            }
        }

        @Test func namespacesStayApartOverAKill() throws {
            try withServer(Workload.model, Workload.longContext) { server in
                var other = Self.prompt
                other["extra_key"] = "other"
                _ = try ask(server, other)
                try kill(server, Title.worker)
                #expect(try ask(server).cached == 0)
                #expect(try ask(server, other).cached == Self.length - 1)
            }
        }

        @Test func whereNothingIsKeptAllIsComputedAgain() throws {
            try withServer(Workload.model, Workload.longContext + ["--disable-radix-cache"]) { server in
                let first = try ask(server)
                try kill(server, Title.worker)
                let again = try ask(server)
                #expect(again.cached == 0 && again.outcome == first.outcome)
            }
        }
    }
}
