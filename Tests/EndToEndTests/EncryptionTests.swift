import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Clients that speak TLS with the real processes.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct EncryptionTests {
        private static let root = Fixtures.path("tls/root.pem")

        /// Runs `body` with a server whose certificate lies in a folder of its own, as `server.pem` and `server.key`.
        private func withSecureServer(_ body: (Server, TemporaryFolder) throws -> Void) throws {
            let files = TemporaryFolder()
            try Self.install("first", in: files)
            let flags = [
                "--ssl-certfile", files.path + "/server.pem", "--ssl-keyfile", files.path + "/server.key",
                "--api-key", "sesame",
            ]
            let server = try Server(Workload.model, flags + Workload.flags, authority: Self.root)
            defer { server.destroy() }
            try body(server, files)
        }

        private static func install(_ name: String, in files: TemporaryFolder) throws {
            for ending in ["key", "pem"] {
                let text = try String(contentsOfFile: Fixtures.path("tls/\(name).\(ending)"), encoding: .utf8)
                files.write("server.\(ending)", text: text)
            }
        }

        private func certificate(of server: Server) throws -> [UInt8]? {
            let wire = try SecureWire(port: server.port, trusting: Self.root)
            let connection = HTTPConnection(wire)
            try connection.send("/health")
            // A new front may not have heard yet how the others are: any answer will do.
            _ = try connection.answer()
            return wire.certificate
        }

        @Test func theCertificateFollowsItsFilesThroughDeathsOfTheFront() throws {
            try withSecureServer { server, files in
                // The launcher's own first request went through, or the server would not stand here.
                #expect(try certificate(of: server) == SecureWire.certificate(in: Fixtures.path("tls/first.pem")))
                #expect(try server.request("/v1/models").status == 401)
                try Self.install("second", in: files)
                let second = try SecureWire.certificate(in: Fixtures.path("tls/second.pem"))
                #expect(try certificate(of: server) == second)
                files.write("server.pem", text: "half a certif")
                #expect(try certificate(of: server) == second)
                try Self.install("first", in: files)
                try server.kill([try server.incarnation(of: Title.http)])
                // Its connection waits in the backlog for the new front, and begins its handshake there.
                #expect(try certificate(of: server) == SecureWire.certificate(in: Fixtures.path("tls/first.pem")))
                #expect(try server.stop().leftovers.isEmpty)
            }
        }

        @Test func aStreamEndsOnTheFrontThatWasReplacedUnderIt() throws {
            let files = TemporaryFolder()
            try Self.install("first", in: files)
            let flags = ["--ssl-certfile", files.path + "/server.pem", "--ssl-keyfile", files.path + "/server.key"]
            let server = try Server(Workload.model, flags + Workload.flags, authority: Self.root)
            defer { server.destroy() }
            let body: JSONObject = [
                "text": "Once", "sampling_params": ["temperature": 0, "max_new_tokens": 600, "ignore_eos": true],
            ]
            let quiet = try server.streamed(body, incremental: true).outcome
            let old = try server.incarnation(of: Title.http)
            let disturbed = started(1) { _ in
                try server.streamed(body, incremental: true) { frames in
                    if frames == 3 {
                        _ = try? Subprocess.run(Server.binary, ["restart", "http", "--run-dir", server.runDirectory])
                    }
                }.outcome
            }
            #expect(try disturbed.results()[0] == quiet)
            #expect(try server.incarnation(of: Title.http).pid != old.pid)
            #expect(try server.request("/health").status == 200)
        }
    }
}
