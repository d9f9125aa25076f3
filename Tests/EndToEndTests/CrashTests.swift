import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Deaths that are no SIGKILL: crashes, a polite signal, and leaving without having been asked.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(3))) struct CrashTests {
        @Test(arguments: [(SIGSEGV, "SIGSEGV"), (SIGABRT, "SIGABRT"), (SIGTERM, "SIGTERM")])
        func workGoesOnAfterASignal(_ signal: Int32, _ name: String) throws {
            try expectNobodyNotices { server, victims in
                try server.kill(victims, signal)
            } afterwards: { exit in
                #expect(exit["signal"]?.intValue == Int(signal) && exit["code"] == .null)
                #expect(exit["reason"]?.stringValue == "killed by \(name)")
            }
        }

        @Test(.enabled(if: Tracer.isAllowed, "needs ptrace")) func workGoesOnAfterAnExitThatNobodyAskedFor() throws {
            try expectNobodyNotices { server, victims in
                let start = server.process.lines.count
                for victim in victims { try Tracer.exit(victim.pid, code: 0) }
                try server.replacements(of: victims, since: start, cause: "exit code 0 without being asked to end")
            } afterwards: { exit in
                #expect(exit["code"] == 0 && exit["signal"] == .null)
                #expect(exit["reason"]?.stringValue == "exit code 0 without being asked to end")
            }
        }

        /// Ends all neighbours of the front at once while the workload runs, and compares with an undisturbed run.
        private func expectNobodyNotices(
            _ end: (Server, [Server.Incarnation]) throws -> Void, afterwards check: (JSONValue) throws -> Void
        ) throws {
            let undisturbed = try Workload.undisturbed.get()
            try withServer(Workload.model, Workload.flags) { server in
                let victims = try Title.neighbours.map { try server.incarnation(of: $0) }
                let run = Workload.start(on: server)
                try run.haveFrames(1)
                try end(server, victims)
                for (index, pair) in zip(try run.outcomes(), undisturbed).enumerated() {
                    #expect(pair.0 == pair.1, "request \(index)")
                }
                try server.allReady()
                let table = try server.table()
                for title in Title.neighbours {
                    #expect(table[title]?["restarts"] == 1)
                    try check(try #require(table[title]?["last_exit"]))
                }
                #expect(table[Title.http]?["restarts"] == 0)
                #expect(try server.request("/health").status == 200)
            }
        }
    }
}
