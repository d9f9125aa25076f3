import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Models whose layers see the last positions only, and keep no more.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(3))) struct WindowTests {
        /// Room for all texts, and for a small part of them in the layers with a window.
        private static let flags =
            Workload.flags + [
                "--max-total-tokens", "9000", "--chunked-prefill-size", "64", "--swa-full-tokens-ratio", "0.04",
                "--enable-metrics",
            ]

        private func metric(_ name: String, _ server: Server) throws -> Int? {
            let page = try server.request("/metrics").text
            let line = page.split(separator: "\n").first {
                $0.hasPrefix("sglang:\(name){") || $0.hasPrefix("sglang:\(name) ")
            }
            return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) }
        }

        @Test(arguments: [("gemma3", 1), ("gemma3", 2), ("gpt-oss", 1), ("starcoder2", 1)])
        func whatIsBehindTheWindowIsNotMissed(_ model: String, _ ranks: Int) throws {
            let worker = ranks == 1 ? Title.worker : Title.worker + "_TP0"
            let ranks = ["--tp-size", "\(ranks)"]
            let whole = try withServer(model, Self.flags + ranks + ["--disable-hybrid-swa-memory"]) { server in
                #expect(try metric("max_total_num_tokens_swa", server) == nil)
                return try Workload.start(on: server).outcomes()
            }
            try withServer(model, Self.flags + ranks) { server in
                #expect(try metric("max_total_num_tokens_swa", server) == 360)
                let run = Workload.start(on: server)
                try run.haveFrames(1)
                try server.kill([try server.incarnation(of: worker)])
                for (index, pair) in zip(try run.outcomes(), whole).enumerated() {
                    #expect(pair.0 == pair.1, "request \(index)")
                }
                #expect(try metric("swa_used_tokens", server) == 0)
                // From the cache, as far as it is still there for layers of both kinds.
                #expect(try Workload.start(on: server).outcomes().map(\.text) == whole.map(\.text))
            }
        }
    }
}
