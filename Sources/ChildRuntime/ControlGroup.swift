/// A control group that bounds this process's memory, as a folder with files.
///
/// Files are read through a closure (path → content, nil where there is no such file), so that tests need no kernel.
package struct ControlGroup: Sendable, Equatable {
    /// What the files are called in one version of control groups.
    private struct Names: Equatable {
        let limit: String
        let usage: String
        /// The line of memory.stat with what the kernel drops first when memory is short.
        let reclaimable: String
        /// The file whose line `oom_kill` counts the processes that the kernel ended since memory was short.
        let kills: String
    }

    private let mount: String
    private let path: String
    private let names: Names

    /// The groups that the text of /proc/self/cgroup names: one line of the one hierarchy of version 2, or that of version 1's memory
    /// controller, or both.
    package static func all(_ text: String) -> [ControlGroup] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            if parts[1].isEmpty {
                return ControlGroup(
                    mount: "/sys/fs/cgroup", path: String(parts[2]),
                    names: Names(
                        limit: "memory.max", usage: "memory.current", reclaimable: "inactive_file",
                        kills: "memory.events"))
            }
            guard parts[1].split(separator: ",").contains("memory") else { return nil }
            return ControlGroup(
                mount: "/sys/fs/cgroup/memory", path: String(parts[2]),
                names: Names(
                    limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes",
                    reclaimable: "total_inactive_file", kills: "memory.oom_control"))
        }
    }

    /// The group and those above it, each of which bounds it too. In a container the path may be the host's, of which only the root
    /// is there.
    package var withAncestors: [ControlGroup] {
        var names = path.split(separator: "/")
        var groups = [self]
        while names.popLast() != nil {
            groups.append(ControlGroup(mount: mount, path: "/" + names.joined(separator: "/"), names: self.names))
        }
        return groups
    }

    /// Bytes it may hold; nil when there is no limit.
    package func limit(_ read: (String) -> String?) -> UInt64? { number(names.limit, read) }

    /// Bytes until the limit; nil when there is none.
    package func room(_ read: (String) -> String?) -> UInt64? {
        guard let limit = limit(read) else { return nil }
        let dropped = read(file("memory.stat")).flatMap { namedNumber(names.reclaimable, in: $0) } ?? 0
        let usage = number(names.usage, read) ?? 0
        let used = usage > dropped ? usage - dropped : 0
        return limit > used ? limit - used : 0
    }

    /// Processes of the group that the kernel ended since memory was short, whoever's limit it was; nil where it does not count them.
    package func kills(_ read: (String) -> String?) -> UInt64? {
        read(file(names.kills)).flatMap { namedNumber("oom_kill", in: $0) }
    }

    private func file(_ name: String) -> String { mount + (path == "/" ? "" : path) + "/" + name }

    /// The number in a file; "max" is none.
    private func number(_ name: String, _ read: (String) -> String?) -> UInt64? {
        read(file(name)).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }
}

/// The number after a name at the start of a line, as the kernel writes its tables.
package func namedNumber(_ name: String, in text: String) -> UInt64? {
    for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.count > 1, words[0] == name { return UInt64(words[1]) }
    }
    return nil
}
