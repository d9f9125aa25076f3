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
        let servers = RunDirectory.living().compactMap { RunningServer(at: $0) }
        let fitting = port.map { port in servers.filter { $0.port == port } } ?? servers
        switch fitting.count {
        case 1: return fitting[0]
        case 0:
            let what = port.map { "no server runs on port \($0)" } ?? "no server runs"
            throw OperatorError(what + " (one started with --run-dir is found with --run-dir)")
        default:
            let list = fitting.map { "  --port \($0.port)  (pid \($0.pid), \($0.directory))" }.joined(separator: "\n")
            throw OperatorError("several servers run; choose one:\n\(list)")
        }
    }
}

/// A server whose launcher lives.
package struct RunningServer {
    package let directory: String
    package let pid: Int32
    package let port: Int

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

/// Why an operator's command failed, in a sentence.
struct OperatorError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
