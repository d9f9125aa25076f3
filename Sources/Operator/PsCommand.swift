package import ArgumentParser
internal import ChildRuntime
internal import JSON
internal import Messages

/// `srt ps`: the processes of a server.
package struct PsCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "Show the processes of a server: state, pid, generation, restarts, last exit.")

    @OptionGroup package var choice: ServerChoice

    @Flag(help: "Print the launcher's table as JSON.")
    package var json = false

    package init() {}

    package func run() throws {
        let server = try choice.resolve()
        guard let state = try Self.liveState(of: server) ?? RunningServer.state(in: server.directory) else {
            throw OperatorError("the server in \(server.directory) has written no state yet")
        }
        print(json ? JSON.encodeToString(state) : ProcessTable.text(state, now: wallClockSeconds()))
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
