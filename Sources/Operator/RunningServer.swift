package import ArgumentParser
internal import JSON
internal import Supervisor
internal import Values

/// How an operator says which server he means.
package struct ServerChoice: ParsableArguments {
    @Option(name: .customLong("run-dir"), help: "Run directory of the server.")
    package var runDirectory: String?

    @Option(help: "Port of the server.")
    package var port: Int?

    package init() {}

    /// The server meant: by folder, by port, or the only one that runs.
    package func resolve() throws -> RunningServer {
        if let runDirectory {
            guard let server = RunningServer(at: runDirectory) else {
                throw OperatorError("no server runs in \(runDirectory)")
            }
            return server
        }
        return try Self.choose(among: RunDirectory.living().compactMap { RunningServer(at: $0) }, port: port)
    }

    /// The one of the servers that run with this port, or the only one.
    package static func choose(among servers: [RunningServer], port: Int?) throws -> RunningServer {
        let fitting = port.map { port in servers.filter { $0.port == port } } ?? servers
        switch fitting.count {
        case 1: return fitting[0]
        case 0:
            let what = port.map { "no server runs on port \($0)" } ?? "no server runs"
            throw OperatorError(what + " (one started with --run-dir is found with --run-dir)")
        default:
            // The same port on several addresses tells nobody apart.
            let areApart = Set(fitting.map(\.port)).count == fitting.count
            let list = fitting.map { server in
                areApart
                    ? "  --port \(server.port)  (pid \(server.pid), \(server.directory))"
                    : "  --run-dir \(server.directory)  (pid \(server.pid))"
            }
            throw OperatorError("several servers run; choose one:\n\(list.joined(separator: "\n"))")
        }
    }
}

/// A server whose launcher lives.
package struct RunningServer: Sendable, Equatable {
    package let directory: String
    package let pid: Int32
    package let port: Int

    package init(directory: String, pid: Int32, port: Int) {
        self.directory = directory
        self.pid = pid
        self.port = port
    }

    /// The server in a run directory; nil when its launcher is dead or was never there.
    package init?(at directory: String) {
        guard RunDirectory.isLocked(directory), let pid = RunDirectory.pid(in: directory) else { return nil }
        self.directory = directory
        self.pid = pid
        port = Self.state(in: directory)?["port"]?.intValue ?? 0
    }

    /// What state.json says; nil while there is none.
    static func state(in directory: String) -> JSONValue? {
        readWholeFile(directory + "/" + RunDirectory.stateFile).flatMap { try? JSON.parse($0) }
    }
}

/// Refuses what is no span of time.
func checkSeconds(_ seconds: Double, of flag: String) throws {
    guard seconds >= 0, seconds <= 1e9 else { throw ValidationError("\(flag) is a number of seconds, 0 or more") }
}

/// Why an operator's command failed, in a sentence.
package struct OperatorError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
