import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// `srt bench serving` against a real server; what it measures is never judged here.
    @Suite(.share(.half)) struct BenchServingTests {
        private static func bench(_ server: Server, _ arguments: [String]) throws -> (
            ending: Subprocess.Ending, lines: [String]
        ) {
            try Subprocess.run(
                Server.binary,
                ["bench", "serving", "--url", "http://127.0.0.1:\(server.port)", "--token-range", "10-200"] + arguments)
        }

        @Test func allRequestsAreAnsweredCountedAndDrawn() throws {
            try withServer("llama-tied") { server in
                let (json, plot) = (server.folder + "/bench.json", server.folder + "/bench.svg")
                let (ending, lines) = try Self.bench(
                    server,
                    [
                        "--num-prompts", "6", "--max-concurrency", "3", "--input-len", "3-9", "--output-len", "5",
                        "--shared-prefix-len", "12", "--flush-cache", "--json", json, "--plot", plot,
                    ])
                #expect(ending == .code(0), "\(lines)")
                let figures = try JSON.parse(String(contentsOfFile: json, encoding: .utf8))
                #expect(figures["completed"] == 6)
                #expect(figures["failed"] == 0)
                #expect(figures["shortened"] == 0)
                #expect(figures["output_tokens"] == 30)
                let requests = try #require(figures["requests"]?.arrayValue)
                for request in requests {
                    let length = try #require(request["input_tokens"]?.intValue)
                    #expect((15...21).contains(length))
                }
                // The second three start after one of the first is over, so they find the prefix.
                #expect(try #require(figures["cached_tokens"]?.intValue) >= 3 * 12)
                #expect(try String(contentsOfFile: plot, encoding: .utf8).hasPrefix("<svg"))
            }
        }

        @Test func refusedRequestsAreFailuresWithTheServersReason() throws {
            try withServer("llama-tied") { server in
                let (ending, lines) = try Self.bench(
                    server,
                    ["--num-prompts", "2", "--input-len", "100000", "--output-len", "5", "--warmup-requests", "0"])
                #expect(ending == .code(1))
                #expect(lines.contains { $0.hasPrefix("requests     0 completed, 2 failed") }, "\(lines)")
                #expect(lines.contains { $0.hasPrefix("failed       2 x The input (100000 tokens)") }, "\(lines)")
            }
        }

        @Test func nobodyListeningIsAFailureToo() throws {
            // Port 1 is nobody's.
            let (ending, lines) = try Subprocess.run(
                Server.binary,
                ["bench", "serving", "--url", "http://127.0.0.1:1", "--num-prompts", "1", "--warmup-requests", "0"])
            #expect(ending == .code(1))
            #expect(lines.contains { $0.contains("cannot connect") }, "\(lines)")
        }
    }
}
