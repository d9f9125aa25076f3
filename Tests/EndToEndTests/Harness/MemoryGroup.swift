import Foundation
import Glibc
import TestSupport

/// A control group with a memory limit, for a server that is to run out of memory; it goes with its owner, when it is empty.
final class MemoryGroup {
    private static let root: (folder: String, limit: String)? = {
        if FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.oom_control") {
            return ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        let controllers = (try? String(contentsOfFile: "/sys/fs/cgroup/cgroup.subtree_control", encoding: .utf8)) ?? ""
        return controllers.contains("memory") ? ("/sys/fs/cgroup", "memory.max") : nil
    }()

    /// Whether this user may make one on this machine.
    static let canBeMade: Bool = (try? MemoryGroup(limit: 1 << 30)) != nil

    private let path: String

    init(limit: Int) throws {
        guard let root = Self.root else { throw HarnessError("no control groups for memory") }
        path = "\(root.folder)/srt-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        guard mkdir(path, 0o755) == 0 else { throw HarnessError("mkdir \(path)") }
        let file = path + "/" + root.limit
        try "\(limit)".write(toFile: file, atomically: false, encoding: .utf8)
    }

    deinit { rmdir(path) }

    /// Arguments of /bin/sh for a program that runs in the group.
    func entered(by command: [String]) -> [String] {
        ["-c", "echo $$ > \(path)/cgroup.procs; exec \"$@\"", "sh"] + command
    }
}
