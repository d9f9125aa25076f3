import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// SIGTERM at bad moments.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2))) struct StopTests {
        /// So long that no machine computes it while a test runs.
        private static let endless: JSONObject = [
            "text": "The keeper climbed", "stream": true,
            "sampling_params": ["temperature": 0, "max_new_tokens": 120_000, "ignore_eos": true],
        ]
        private static let flags = [
            "--json-model-override-args", #"{"max_position_embeddings": 131072}"#, "--max-total-tokens", "131072",
            "--incremental-streaming-output",
        ]

        @Test func aStreamThatOutlastsTheDrainEndsProperly() throws {
            try withServer("llama-tied", Self.flags + ["--drain-timeout", "1"]) { server in
                let last = EventBoard<JSONValue>(.null)
                let crew = started(1) { _ in
                    let connection = try HTTPConnection(port: server.port)
                    try connection.send("/generate", .object(Self.endless))
                    #expect(try connection.head().status == 200)
                    return try connection.events { frame in
                        last.update { $0 = frame }
                        return true
                    }
                }
                #expect(last.wait { $0 == .null ? nil : () } != nil)
                let (ending, leftovers) = try server.stop()
                #expect(ending == .code(0) && leftovers == [])
                // The last frame says that it was cut off, and `[DONE]` follows.
                #expect(try crew.results() == [true])
                let frame = last.now
                #expect(frame["error"] != nil || frame["meta_info"]?["finish_reason"]?["type"] == "abort", "\(frame)")
            }
        }

        @Test func whileItDrainsNewRequestsAreToldSoAndASecondSignalEndsIt() throws {
            try withServer("llama-tied", Self.flags) { server in
                let connection = try HTTPConnection(port: server.port)
                try connection.send("/generate", .object(Self.endless))
                #expect(try connection.head().status == 200)
                server.process.signal(SIGTERM)
                try poll("/health does not tell of the drain") {
                    try server.request("/health").status == 503 ? () : nil
                }
                let refused = try server.request("/generate", .object(Self.endless))
                #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
                let (ending, leftovers) = try withExtendedLifetime(connection) { try server.stop() }
                #expect(ending == .code(0) && leftovers == [])
            }
        }

        @Test(arguments: ["server_args=", "weights", "KV pool of"])
        func aStartCanBeStoppedAtAnyMoment(_ moment: String) throws {
            let folder = try Server.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let server = try Subprocess(
                Server.binary, Server.arguments(Fixtures.path("llama-untied"), port: 0, folder: folder))
            defer { server.signal(SIGKILL) }
            try server.line(with: moment)
            server.signal(SIGTERM)
            #expect(try server.end() == .code(0))
            #expect(Server.processes(of: folder + "/run") == [])
            #expect((try? FileManager.default.contentsOfDirectory(atPath: folder + "/run")) ?? [] == [])
        }
    }
}
