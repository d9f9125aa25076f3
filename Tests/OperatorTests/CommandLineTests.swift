import ArgumentParser
import Operator
import Testing

/// What operators type.
@Suite struct CommandLineTests {
    @Test func aRestartNamesAProcessAndAServer() throws {
        let command = try RestartCommand.parse(["scheduler", "--port", "8000", "--timeout", "5"])
        #expect(command.role == "scheduler" && command.choice.port == 8000 && command.timeout == 5)
        #expect(throws: (any Error).self) { _ = try RestartCommand.parse([]) }
    }

    @Test func logsTakesShortAndLongNames() throws {
        let command = try LogsCommand.parse(["-n", "5", "-f", "--grep", "TP1", "--run-dir", "/run/x"])
        #expect(
            command.lines == 5 && command.follow && command.grep == "TP1" && command.choice.runDirectory == "/run/x")
        #expect(try LogsCommand.parse(["--lines", "0"]).lines == 0)
        #expect(throws: (any Error).self) { _ = try LogsCommand.parse(["-n", "-1"]) }
    }

    @Test(arguments: [nil, 0, 2.5])
    func stopMayHurry(drain: Double?) throws {
        #expect(try StopCommand.parse(drain.map { ["--drain", "\($0)"] } ?? []).drain == drain)
    }

    @Test(arguments: ["-1", "nan", "inf", "soon"])
    func timesThatAreNoneAreRefused(text: String) {
        #expect(throws: (any Error).self) { _ = try StopCommand.parse(["--drain=\(text)"]) }
        #expect(throws: (any Error).self) { _ = try RestartCommand.parse(["all", "--timeout=\(text)"]) }
    }

    @Test func psShowsATableOrJSON() throws {
        let command = try PsCommand.parse(["--json", "--watch"])
        #expect(command.json && command.watch)
    }
}
