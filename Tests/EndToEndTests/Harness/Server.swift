import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// A server under test with folders of its own; `stop` or the end of its scope ends it.
final class Server: Sendable {
    let process: Subprocess
    let port: Int
    let runDirectory: String
    /// The temporary folder that holds everything of this server.
    let folder: String
    /// PEM file with whom clients trust, where they speak TLS.
    let authority: String?

    /// The program under test: SRT_BINARY, or the `srt` that was built with the tests.
    static let binary: String = {
        if let path = ProcessInfo.processInfo.environment["SRT_BINARY"] { return path }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var bundles = [own] + CommandLine.arguments.filter { $0.contains(".xctest") }
        bundles.append(
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
                "../../../.build/release/x"
            )
            .standardizedFileURL.path)
        // A bundle may be a file beside the program, or a folder with the file inside.
        for bundle in bundles {
            var folder = URL(fileURLWithPath: bundle)
            for _ in 0..<4 {
                folder.deleteLastPathComponent()
                let candidate = folder.appendingPathComponent("srt").path
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder), !isFolder.boolValue,
                    FileManager.default.isExecutableFile(atPath: candidate)
                {
                    return candidate
                }
            }
        }
        return "srt"
    }()

    /// Starts a server and waits until it serves.
    ///
    /// - Parameters:
    ///   - model: a folder of Tests/Fixtures.
    ///   - folder: of a server before this one, which is used again.
    ///   - authority: PEM file with whom clients trust, where they speak TLS.
    ///   - environment: variables that the launcher has besides those of the tests.
    convenience init(
        _ model: String, _ flags: [String] = [], dtype: String = "float32", port: Int = 0, folder: String? = nil,
        authority: String? = nil, environment: [String: String] = [:]
    ) throws {
        try self.init(
            path: Fixtures.path(model), ["--dtype", dtype] + flags, port: port, folder: folder, authority, environment)
    }

    private init(
        path: String, _ flags: [String], port: Int, folder: String?, _ authority: String?,
        _ environment: [String: String]
    ) throws {
        let own = folder
        self.authority = authority
        let folder = try folder ?? Self.temporaryFolder()
        self.folder = folder
        runDirectory = folder + "/run"
        process = try Subprocess(
            Self.binary, Self.arguments(path, port: port, folder: folder) + flags, environment: environment)
        do {
            try process.line(with: "The server is fired up and ready to roll!")
            let state = try JSON.parse(String(contentsOfFile: runDirectory + "/state.json", encoding: .utf8))
            guard let port = state["port"]?.intValue else { throw HarnessError("state.json has no port") }
            self.port = port
            // The front hears of it a message after the log.
            try poll("it is not healthy:\n\(process.tail)") { try request("/health").status == 200 ? () : nil }
        } catch {
            process.signal(SIGKILL)
            _ = try? process.end()
            if own == nil { try? FileManager.default.removeItem(atPath: folder) }
            throw error
        }
    }

    /// The command line of a server that keeps everything in `folder`.
    static func arguments(_ model: String, port: Int, folder: String) -> [String] {
        [
            "launch_server", "--model-path", model, "--port", "\(port)", "--run-dir", folder + "/run",
            "--weight-cache-dir", folder + "/weights",
        ]
    }

    /// A fresh folder with a short name, since sockets in it must have short names.
    static func temporaryFolder() throws -> String {
        var name = Array("/tmp/srt-e2e-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw HarnessError("mkdtemp: \(String(cString: strerror(errno)))") }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Ends the server as an operator does, and tells what a proper end must not leave: processes, sockets.
    ///
    /// - Returns: how the launcher ended, and what is left.
    func stop() throws -> (ending: Subprocess.Ending, leftovers: [String]) {
        process.signal(SIGTERM)
        let ending = try process.end()
        let files = (try? FileManager.default.contentsOfDirectory(atPath: runDirectory)) ?? []
        return (ending, files + Self.processes(of: runDirectory).map { "process \($0)" })
    }

    /// Ends it in any way and removes its folder.
    func destroy() {
        process.signal(SIGKILL)
        _ = try? process.end()
        for pid in Self.processes(of: runDirectory) { Glibc.kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Processes

    /// Pids of living child processes of a server, found by what the launcher put into their environment.
    static func processes(of runDirectory: String) -> [pid_t] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { pid in
            guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
            return environment.split(separator: 0).contains {
                $0.starts(with: "SRT_CHILD=".utf8) && String(decoding: $0, as: UTF8.self).hasSuffix("," + runDirectory)
            }
        }
    }

    /// The launcher's table of this moment, by title.
    func table() throws -> [String: JSONValue] {
        let (ending, lines) = try Subprocess.run(Self.binary, ["ps", "--json", "--run-dir", runDirectory])
        guard ending == .code(0), let processes = try JSON.parse(lines.joined())["processes"]?.arrayValue else {
            throw HarnessError("srt ps: \(ending) \(lines)")
        }
        return Dictionary(uniqueKeysWithValues: processes.map { ($0["title"]?.stringValue ?? "", $0) })
    }

    /// One life of a child process.
    struct Incarnation: Sendable {
        let title: String
        let pid: pid_t
        let generation: Int
    }

    /// The child with a title as it is now.
    func incarnation(of title: String) throws -> Incarnation {
        let entry = try table()[title]
        guard let pid = entry?["pid"]?.intValue, let generation = entry?["generation"]?.intValue else {
            throw HarnessError("\(title) has no pid")
        }
        return Incarnation(title: title, pid: pid_t(pid), generation: generation)
    }

    /// Kills children at once and waits until the log tells of each its death, the cause and the new process.
    ///
    /// - Returns: the new ones.
    @discardableResult
    func kill(_ victims: [Incarnation], _ signal: Int32 = SIGKILL) throws -> [Incarnation] {
        let names = [SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGABRT: "SIGABRT", SIGTERM: "SIGTERM"]
        let start = process.lines.count
        for victim in victims { Glibc.kill(victim.pid, signal) }
        return try replacements(of: victims, since: start, cause: "killed by \(names[signal] ?? "signal \(signal)")")
    }

    /// Stops a process and waits until all its threads stand still.
    func halt(_ victim: Incarnation) throws {
        Glibc.kill(victim.pid, SIGSTOP)
        let tasks = "/proc/\(victim.pid)/task"
        try poll("\(victim.title) does not stop") {
            let states = try FileManager.default.contentsOfDirectory(atPath: tasks).map { task in
                let stat = try String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8)
                return stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].dropFirst(2).first
            }
            return states.allSatisfy { $0 == "T" } ? () : nil
        }
    }

    /// Waits until the log tells of each process its death, the cause and the new process.
    ///
    /// - Parameter start: the line of the log from which on to look.
    /// - Returns: the new ones.
    @discardableResult
    func replacements(of victims: [Incarnation], since start: Int, cause: String) throws -> [Incarnation] {
        try victims.map { old in
            try process.line(
                from: start, with: "\(old.title) (pid \(old.pid), generation \(old.generation)) died: ", cause)
            let next = old.generation + 1
            let line = try process.line(from: start, with: "\(old.title) restarted: pid ", ", generation \(next)")
            guard let pid = line.firstMatch(of: /: pid (\d+),/).flatMap({ pid_t($0.1) }), pid != old.pid else {
                throw HarnessError(line)
            }
            return Incarnation(title: old.title, pid: pid, generation: next)
        }
    }

    /// Waits until every child is ready.
    func allReady() throws {
        try poll("not all are ready: \(process.tail)") {
            try table().values.allSatisfy { $0["state"]?.stringValue == "ready" } ? () : nil
        }
    }
}

/// Titles of the child processes.
enum Title {
    static let launcher = "sglang::launcher"
    static let http = "sglang::http"
    static let tokenizer = "sglang::tokenizer_manager"
    static let worker = "sglang::scheduler"
    static let detokenizer = "sglang::detokenizer"
    static let children = [http, tokenizer, worker, detokenizer]
    /// The processes behind the front: whichever of them dies, no client may notice.
    static let neighbours = [tokenizer, worker, detokenizer]
}

/// Runs `body` with a server that is gone afterwards, whatever happens.
func withServer<R>(
    _ model: String, _ flags: [String] = [], dtype: String = "float32", environment: [String: String] = [:],
    _ body: (Server) throws -> R
) throws -> R {
    let server = try Server(model, flags, dtype: dtype, environment: environment)
    defer { server.destroy() }
    return try body(server)
}
