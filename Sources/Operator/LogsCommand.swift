package import ArgumentParser
internal import Glibc
internal import Supervisor
internal import Values

/// `srt logs`: what a server has written to its log.
package struct LogsCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show the log of a server, of all its processes together.")

    @OptionGroup package var choice: ServerChoice

    @Option(name: [.customShort("n"), .long], help: "How many of the last lines.")
    package var lines = 100

    @Flag(name: .shortAndLong, help: "Go on with what is written from now on.")
    package var follow = false

    @Option(help: "Only lines that hold this text, such as `scheduler` or `TP1`.")
    package var grep: String?

    package init() {}

    package func validate() throws {
        guard lines >= 0 else { throw ValidationError("--lines is a number of lines") }
    }

    package func run() throws {
        let server = try choice.resolve()
        let path = server.directory + "/" + RunDirectory.logFile
        let old = readWholeFile(path + ".1") ?? []
        guard let new = readWholeFile(path) else { throw OperatorError("the server in \(server.directory) has no log") }
        for line in selection.last(of: old, new) { print(line) }
        fflush(nil)
        if follow { try Self.follow(path, from: new.count, of: server, selection) }
    }

    private var selection: LogSelection {
        var selection = LogSelection()
        (selection.count, selection.text) = (lines, grep)
        return selection
    }

    /// Shows what is appended, through rotations, until the server is gone.
    private static func follow(
        _ path: String, from position: Int, of server: RunningServer, _ selection: LogSelection
    ) throws {
        var follower = LogFollower(from: position)
        while RunDirectory.isLocked(server.directory) {
            if let bytes = readWholeFile(path) {
                let news = follower.news(bytes) { readWholeFile(path + ".1") }
                for line in news where selection.wants(line) { print(line) }
                fflush(nil)
            }
            usleep(200_000)
        }
    }
}
