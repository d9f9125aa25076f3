import ArgumentParser
import Glibc
import Operator
import Supervisor
import TestSupport
import Testing

@Suite struct RunningServerTests {
    private func server(_ port: Int, _ directory: String = "/run/x") -> RunningServer {
        RunningServer(directory: directory, pid: 100 + Int32(port), port: port)
    }

    private func refusal(_ body: () throws -> RunningServer) -> String {
        do { return "chose \(try body())" } catch { return "\(error)" }
    }

    @Test func theOnlyServerNeedsNoName() throws {
        #expect(try ServerChoice.choose(among: [server(1)], port: nil) == server(1))
    }

    @Test func aPortChoosesAmongSeveral() throws {
        #expect(try ServerChoice.choose(among: [server(1), server(2)], port: 2) == server(2))
    }

    @Test func noServerIsToldWithTheWayToFindOne() {
        #expect(refusal { try ServerChoice.choose(among: [], port: nil) }.hasPrefix("no server runs ("))
        let wrong = refusal { try ServerChoice.choose(among: [server(1)], port: 9) }
        #expect(wrong.hasPrefix("no server runs on port 9") && wrong.contains("--run-dir"))
    }

    @Test func severalAreListedSoThatOneCanBeChosen() {
        let listed = refusal { try ServerChoice.choose(among: [server(1, "/a"), server(2, "/b")], port: nil) }
        #expect(listed.contains("--port 1  (pid 101, /a)") && listed.contains("--port 2  (pid 102, /b)"))
        // The same port on two addresses of the machine.
        let twins = refusal { try ServerChoice.choose(among: [server(1, "/a"), server(1, "/b")], port: 1) }
        #expect(twins.contains("--run-dir /a  (pid 101)") && twins.contains("--run-dir /b  (pid 101)"))
    }

    @Test func aRunDirectoryTellsPidAndPortWhileItsLauncherLives() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/run"
        do {
            let directory = try RunDirectory(at: path, port: 0)
            #expect(RunningServer(at: path) == RunningServer(directory: path, pid: getpid(), port: 0), "no state yet")
            try directory.write("state.json", Array(#"{"port": 4711}"#.utf8))
            #expect(RunningServer(at: path)?.port == 4711)
            let choice = try ServerChoice.parse(["--run-dir", path])
            #expect(try choice.resolve().port == 4711)
        }
        #expect(RunningServer(at: path) == nil, "nobody holds it")
        let choice = try ServerChoice.parse(["--run-dir", path])
        #expect(refusal { try choice.resolve() } == "no server runs in \(path)")
    }
}
