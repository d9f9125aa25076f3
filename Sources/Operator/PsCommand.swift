package import ArgumentParser
internal import ChildRuntime
internal import Glibc
internal import JSON
internal import Messages
internal import Supervisor

/// `srt ps`: the processes of a server.
package struct PsCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "Show the processes of a server: state, pid, generation, restarts, last exit.")

    @OptionGroup package var choice: ServerChoice

    @Flag(help: "Print the launcher's table as JSON.")
    package var json = false

    @Flag(help: "Show it anew every second, until the server ends: a table in place, or a line of JSON each time.")
    package var watch = false

    package init() {}

    package func run() throws {
        let server = try choice.resolve()
        try show(server)
        while watch {
            sleep(1)
            guard RunDirectory.isLocked(server.directory) else { return }
            try show(server)
        }
    }

    private func show(_ server: RunningServer) throws {
        guard let state = try Self.liveState(of: server) ?? RunningServer.state(in: server.directory) else {
            throw OperatorError("the server in \(server.directory) has written no state yet")
        }
        // On a terminal the table replaces the one before.
        if watch, !json, isatty(STDOUT_FILENO) == 1 { print("\u{1b}[H\u{1b}[2J", terminator: "") }
        print(json ? JSON.encodeToString(state) : ProcessTable.text(state, now: wallClockSeconds()))
        fflush(nil)
    }

    /// The table of this moment from the launcher itself; the file is only as new as the last change of a state.
    private static func liveState(of server: RunningServer) throws -> JSONValue? {
        let request = OperatorRequest.make {
            $0.call = 1
            $0.processes = true
        }
        guard let answer = try LauncherLine.ask(server, request, within: 1) else { return nil }
        return try? JSON.parse(answer.message)
    }
}
