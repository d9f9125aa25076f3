import Foundation
import JSON
import TestSupport

/// What a server holds at a moment, seen from outside: memory, descriptors, files, states for requests.
extension Server {
    /// Pids of all processes by title, the launcher included.
    func pids() throws -> [String: pid_t] {
        var pids = try table().mapValues { pid_t($0["pid"]?.intValue ?? 0) }
        pids[Title.launcher] = process.pid
        return pids
    }

    /// The launcher's file about all processes, as new as the last change of a state.
    func stateFile() throws -> JSONValue {
        try JSON.parse(String(contentsOfFile: runDirectory + "/state.json", encoding: .utf8))
    }

    /// Descriptors that each process has open.
    func descriptors() throws -> [String: Int] {
        try pids().mapValues { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\($0)/fd").count) ?? 0 }
    }

    /// Bytes of memory that each process has resident.
    func residentBytes() throws -> [String: Int] { try pids().mapValues { Self.residentBytes(of: $0) } }

    private static func residentBytes(of pid: pid_t) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Waits until every process is ready and has said, after `time`, that it holds no request, and the worker no slot.
    func awaitIdleness(since time: Date = Date()) throws {
        try poll("not idle: \((try? table()).map { "\($0)" } ?? "")") {
            let now = Date()
            let isIdle = try table().values.allSatisfy { process in
                guard let age = process["heartbeat_age"]?.doubleValue else { return false }
                return now.timeIntervalSince(time) > age && process["state"] == "ready" && process["running"] == 0
                    && process["queued"] == 0
            }
            return isIdle ? () : nil
        }
        try poll("slots are held: \((try? load()).map { "\($0)" } ?? "")") {
            let load = try load()
            let names = ["num_running_reqs", "num_waiting_reqs", "num_waiting_uncached_tokens", "num_used_tokens"]
            return names.allSatisfy { load[$0] == 0 } ? () : nil
        }
    }

    /// Pids of fronts that were replaced and are not done.
    func leaving() throws -> [pid_t] {
        try stateFile()["leaving"]?.arrayValue?.compactMap { $0["pid"]?.intValue.map { pid_t($0) } } ?? []
    }

    /// Waits until no replaced front is there any more.
    func awaitNoLeaving() throws {
        try poll("a replaced front does not end") { try leaving().isEmpty ? () : nil }
    }

    /// Dead children of the launcher that nobody has buried.
    var zombies: [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { entry in
            guard pid_t(entry) != nil, let stat = try? String(contentsOfFile: "/proc/\(entry)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { return false }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            return fields.count > 1 && fields[0] == "Z" && fields[1] == "\(process.pid)"
        }
    }

    /// What is on disk or in shared memory and should not be: files in the run directory that no living process needs, pid
    /// files and a state.json that tell of others than those that live, and names in /dev/shm.
    func strayFiles() throws -> [String] {
        let table = try table()
        var strays: [String] = []
        let files = try FileManager.default.contentsOfDirectory(atPath: runDirectory)
        let front = table[Title.http]?["generation"]?.intValue ?? 0
        let sockets = ["tokenizer", "scheduler", "detokenizer", "supervisor", "front-\(front)"].map { $0 + ".ipc" }
        let known =
            [
                "launcher.pid", "state.json", "settings.http.json", "settings.text.json", "settings.scheduler.json",
                "server.log", "server.log.1",
            ] + sockets
        let pidFiles = Dictionary(
            uniqueKeysWithValues: table.map {
                ($0.key.replacing("sglang::", with: "") + ".pid", $0.value["pid"]?.intValue ?? 0)
            })
        for name in files where !known.contains(name) && pidFiles[name] == nil {
            strays.append(name)
        }
        for (name, pid) in pidFiles {
            let noted = try? String(contentsOfFile: runDirectory + "/" + name, encoding: .utf8)
            if noted != "\(pid)\n" { strays.append("\(name) says \(noted ?? "nothing") for \(pid)") }
        }
        for entry in try stateFile()["processes"]?.arrayValue ?? [] {
            guard let title = entry["title"]?.stringValue else { continue }
            if entry["pid"] != table[title]?["pid"] { strays.append("state.json: pid of \(title)") }
        }
        return strays + sharedMemoryNames()
    }

    /// Names in /dev/shm that are ours: by what they are called, or since one of our processes has them mapped.
    private func sharedMemoryNames() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
        let maps = Self.processes(of: runDirectory).compactMap {
            try? String(contentsOfFile: "/proc/\($0)/maps", encoding: .utf8)
        }
        return names.filter { name in
            name.contains("srt") || name.contains("sglang") || maps.contains { $0.contains("/dev/shm/" + name) }
        }
    }
}
