import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// However the launcher ends, nothing of the server outlives it.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2))) struct LauncherEndTests {
        private let question: JSONObject = [
            "text": "The keeper climbed", "sampling_params": ["temperature": 0, "max_new_tokens": 24],
        ]

        @Test func aKilledLauncherLeavesNothingThatBlocksTheNextStart() throws {
            let first = try Server("llama-tied", Workload.flags)
            defer { first.destroy() }
            let before = try first.single(question)
            let run = Workload.start(on: first)
            try run.haveFrames(2)
            let children = Server.processes(of: first.runDirectory)
            #expect(children.count == 4)
            first.process.signal(SIGKILL)
            // The end of the output, too: every child that holds it is gone.
            #expect(try first.process.end() == .signal(SIGKILL))
            #expect(Server.processes(of: first.runDirectory) == [])
            #expect(throws: ConnectionError.lost) { try run.crew.results() }
            let second = try Server("llama-tied", Workload.flags, port: first.port, folder: first.folder)
            defer { second.destroy() }
            #expect(second.port == first.port)
            #expect(try second.single(question).outcome == before.outcome)
            #expect(try second.stop().ending == .code(0))
        }

        @Test func terminationLetsRunningRequestsEndAndLeavesNothing() throws {
            let server = try Server("llama-tied", Workload.flags)
            defer { server.destroy() }
            let undisturbed = try Workload.start(on: server).outcomes()
            let run = Workload.start(on: server)
            try run.haveFrames(2)
            let (ending, leftovers) = try server.stop()
            #expect(ending == .code(0))
            #expect(leftovers == [])
            #expect(try run.outcomes() == undisturbed)
        }

        @Test(arguments: [(SIGINT, Subprocess.Ending.code(0)), (SIGQUIT, .code(131))])
        func signalsEndAnIdleServer(_ signal: Int32, _ wanted: Subprocess.Ending) throws {
            let server = try Server("llama-tied")
            defer { server.destroy() }
            server.process.signal(signal)
            #expect(try server.process.end() == wanted)
            #expect(Server.processes(of: server.runDirectory) == [])
        }

        @Test func aSecondServerInTheSameRunDirectoryIsRefused() throws {
            try withServer("llama-tied") { server in
                let arguments = Server.arguments(Fixtures.path("llama-tied"), port: 0, folder: server.folder)
                let (ending, lines) = try Subprocess.run(Server.binary, arguments)
                #expect(ending == .code(73))
                #expect(lines.contains { $0.contains(server.runDirectory) && $0.contains("\(server.process.pid)") })
                #expect(try server.single(question).outcome.completionTokens == 24)
            }
        }

        @Test func aChildsDeathEndsTheServerWhereThatIsWanted() throws {
            try withServer("llama-tied", ["--on-child-failure", "exit"]) { server in
                kill(try server.incarnation(of: Title.worker).pid, SIGKILL)
                #expect(try server.process.end() == .code(3))
                #expect(Server.processes(of: server.runDirectory) == [])
            }
        }
    }
}
