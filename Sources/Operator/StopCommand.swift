package import ArgumentParser
internal import CPlatform
internal import ChildRuntime
internal import Glibc

/// `srt stop`: ends a server and waits for its end.
package struct StopCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop a server: running requests may finish, new ones are refused.")

    @OptionGroup package var choice: ServerChoice

    @Option(help: "Seconds that running requests get, at most the server's --drain-timeout; 0 stops at once.")
    package var drain: Double?

    package init() {}

    package func validate() throws {
        if let drain { try checkSeconds(drain, of: "--drain") }
    }

    package func run() throws {
        let server = try choice.resolve()
        let end = platform_pidfd_open(server.pid)
        guard end >= 0 else { throw OperatorError("the launcher (pid \(server.pid)) has just ended") }
        defer { close(end) }
        try signal(server, drain == 0 ? SIGINT : SIGTERM)
        if let drain, drain > 0, !Self.ended(end, within: drain) { try signal(server, SIGTERM) }
        guard Self.ended(end, within: 600) else { throw OperatorError("the launcher (pid \(server.pid)) does not end") }
        print("stopped the server on port \(server.port) (launcher pid \(server.pid))")
    }

    private func signal(_ server: RunningServer, _ number: Int32) throws {
        guard kill(server.pid, number) == 0 || errno == ESRCH else {
            throw OperatorError("cannot signal pid \(server.pid): \(String(cString: strerror(errno)))")
        }
    }

    private static func ended(_ descriptor: Int32, within seconds: Double) -> Bool {
        let deadline = monotonicMilliseconds() + UInt64(seconds * 1000)
        while true {
            let now = monotonicMilliseconds()
            guard now < deadline else { return false }
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&item, 1, Int32(min(deadline - now, 60_000))) == 1 { return true }
        }
    }
}
