import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2)), .server("llama-tied", Workload.longContext))
    struct ProcessTests {
        @Test func everyProcessHasItsTitle() throws {
            let server = try Server.shared
            let table = try server.table()
            #expect(Set(table.keys) == Set(Title.children))
            var pids = table.mapValues { pid_t($0["pid"]?.intValue ?? 0) }
            pids[Title.launcher] = server.process.pid
            for (title, pid) in pids {
                let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
                // Bytes that a longer command line had are zero.
                let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                #expect(words == [title])
            }
            #expect(
                Set(Server.processes(of: server.runDirectory)) == Set(pids.values).subtracting([server.process.pid]))
        }

        @Test func theLogCanBeReadFromTheRunDirectory() throws {
            let server = try Server.shared
            let (ending, lines) = try Subprocess.run(
                Server.binary, ["logs", "--run-dir", server.runDirectory, "--grep", "fired up"])
            #expect(ending == .code(0))
            #expect(lines.count == 1 && lines[0].hasSuffix("The server is fired up and ready to roll!"))
            let (_, last) = try Subprocess.run(
                Server.binary, ["logs", "--run-dir", server.runDirectory, "-n", "2"])
            #expect(last.count == 2)
        }

        @Test func theFrontKnowsHowTheProcessesAreNow() throws {
            let server = try Server.shared
            // Sixteen long ones at once, so that they run for several heartbeats on a fast machine too.
            var body: JSONObject = ["text": .array((0..<16).map { .string("The keeper \($0)") }), "stream": true]
            body["sampling_params"] = ["max_new_tokens": 8000, "ignore_eos": true]
            let connection = try HTTPConnection(port: server.port)
            try connection.send("/generate", .object(body))
            _ = try connection.head()
            try withExtendedLifetime(connection) {
                // Heartbeats come once a second; the table that came with the last start or death has none of these.
                try poll("/v1/processes: \((try? server.request("/v1/processes").text) ?? "")") {
                    let processes = try server.request("/v1/processes").json().arrayValue ?? []
                    let running = Dictionary(
                        uniqueKeysWithValues: processes.map { ($0["title"]?.stringValue, $0["running"]) })
                    let haveMemory = processes.allSatisfy { ($0["rss_bytes"]?.intValue ?? 0) > 0 }
                    return haveMemory && running[Title.worker] == 16 && running[Title.http] == 16 ? () : nil
                }
            }
        }
    }
}
