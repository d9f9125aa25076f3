import Foundation
import JSON
import Testing

extension EndToEndTests {
    @Suite(.serialized, .timeLimit(.minutes(2)), .server("llama-tied")) struct ProcessTests {
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
    }
}
