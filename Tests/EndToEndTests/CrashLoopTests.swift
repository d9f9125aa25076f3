import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// A process that cannot come up again: the server waits longer each time, gives up for all to see, and can be repaired.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2))) struct CrashLoopTests {
        private let question: JSONObject = [
            "text": "The keeper climbed", "sampling_params": ["temperature": 0, "max_new_tokens": 24],
        ]

        @Test func aCrashLoopIsGivenUpAndEndsWhenItsCauseIsRemoved() throws {
            let folder = try Server.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let (model, away) = (folder + "/model", folder + "/away")
            try FileManager.default.copyItem(atPath: Fixtures.path("llama-tied"), toPath: model)
            try withServer(model, ["--max-restarts", "2"]) { server in
                let before = try server.single(question).outcome
                try FileManager.default.moveItem(atPath: model, toPath: away)
                let start = server.process.lines.count
                kill(try server.incarnation(of: Title.worker).pid, SIGSEGV)
                let end = try server.process.line(from: start, with: Title.worker, "is given up")
                #expect(end.contains("failed 3 times") && end.contains("srt restart \(Title.worker)"))
                let pauses = server.process.lines.dropFirst(start).compactMap { line in
                    line.firstMatch(of: /sglang::scheduler will be restarted in ([0-9.]+) s/).flatMap { Double($0.1) }
                }
                #expect(pauses.count == 2 && pauses[0] < pauses[1], "\(pauses)")
                try expectGivenUp(server, because: model)

                try FileManager.default.moveItem(atPath: away, toPath: model)
                let (ending, lines) = try Subprocess.run(
                    Server.binary, ["restart", "scheduler", "--run-dir", server.runDirectory])
                #expect(ending == .code(0), "\(lines)")
                #expect(try server.single(question).outcome == before)
                #expect(try server.request("/health").status == 200)
            }
        }

        /// Looks at the server as an operator and as clients do.
        private func expectGivenUp(_ server: Server, because cause: String) throws {
            let entry = try server.table()[Title.worker]
            #expect(entry?["state"] == "failed" && entry?["pid"] == .null)
            #expect(entry?["last_exit"]?["code"] == 1)
            #expect(
                entry?["last_exit"]?["stderr"]?.arrayValue?.contains { $0.stringValue?.contains(cause) == true } == true
            )
            #expect(try server.request("/health").status == 503)
            let processes = try server.request("/v1/processes").json().arrayValue ?? []
            let told = processes.first { $0["title"]?.stringValue == Title.worker }
            #expect(told?["state"] == "failed" && told?["last_exit"]?["stderr"] == entry?["last_exit"]?["stderr"])
            for isStream in [false, true] {
                var body = question
                body["stream"] = .bool(isStream)
                let answer = try server.request("/generate", .object(body))
                let text = answer.text
                if !isStream { #expect(answer.status == 503 && answer.headers["retry-after"] != nil) }
                #expect(text.contains("503") && text.contains(Title.worker), "\(answer.status) \(text)")
            }
        }
    }
}
