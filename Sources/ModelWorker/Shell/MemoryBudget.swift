internal import Glibc
internal import Values

/// How many KV slots the machine has room for.
package struct MemoryBudget: Equatable {
    /// Bytes the server may use beyond what others use now: available memory, or what the control groups leave, whichever is less.
    package let available: UInt64

    /// Share of the memory for weights and KV cache unless the operator says otherwise. Generous reserves cost nothing: the pool is
    /// touched slot by slot, and pages that other processes need stay theirs.
    static let defaultFraction = 0.6
    /// A larger pool serves nobody on a CPU.
    package static let mostTokens = 1 << 20

    /// Reads the machine's numbers.
    package static func current() -> MemoryBudget { MemoryBudget(reading: SmallFile.text) }

    /// Reads them from files by path; nil: there is no such file.
    package init(reading read: (String) -> String?) {
        let machine = read("/proc/meminfo").flatMap { Self.field("MemAvailable:", in: $0) }.map { $0 * 1024 } ?? 4 << 30
        let groups = ControlGroup.all(read("/proc/self/cgroup") ?? "").flatMap(\.withAncestors)
        available = groups.compactMap { $0.room(read) }.reduce(machine, min)
    }

    /// Slots for a model whose weights take `weightBytes`, or nil when not even the weights fit. Both sizes are sums over all ranks, which
    /// share the machine.
    package func slots(bytesPerSlot: Int, weightBytes: UInt64, fraction: Double?) -> Int? {
        let budget = Double(available) * (fraction ?? Self.defaultFraction) - Double(weightBytes)
        let slots = budget / Double(bytesPerSlot)
        return slots >= 1 ? Int(min(slots, Double(Self.mostTokens))) : nil
    }

    /// The number after a name at the start of a line.
    static func field(_ name: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }
}

/// A control group that bounds this process's memory, as a folder with files.
private struct ControlGroup {
    /// What the files are called in one version of control groups.
    struct Names {
        let limit: String
        let usage: String
        /// The line of memory.stat with what the kernel drops first when memory is short.
        let reclaimable: String
    }

    let mount: String
    let path: String
    let names: Names

    /// The groups that the text of /proc/self/cgroup names: one line of the one hierarchy of version 2, or that of version 1's memory
    /// controller, or both.
    static func all(_ text: String) -> [ControlGroup] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            if parts[1].isEmpty {
                return ControlGroup(
                    mount: "/sys/fs/cgroup", path: String(parts[2]),
                    names: Names(limit: "memory.max", usage: "memory.current", reclaimable: "inactive_file"))
            }
            guard parts[1].split(separator: ",").contains("memory") else { return nil }
            return ControlGroup(
                mount: "/sys/fs/cgroup/memory", path: String(parts[2]),
                names: Names(
                    limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", reclaimable: "total_inactive_file"))
        }
    }

    /// The group and those above it, each of which bounds it too. In a container the path may be the host's, of which only the root
    /// is there.
    var withAncestors: [ControlGroup] {
        var names = path.split(separator: "/")
        var groups = [self]
        while names.popLast() != nil {
            groups.append(ControlGroup(mount: mount, path: "/" + names.joined(separator: "/"), names: self.names))
        }
        return groups
    }

    /// Bytes until the limit; nil when there is none.
    func room(_ read: (String) -> String?) -> UInt64? {
        guard let limit = number(names.limit, read) else { return nil }
        let dropped = read(file("memory.stat")).flatMap { MemoryBudget.field(names.reclaimable, in: $0) } ?? 0
        let usage = number(names.usage, read) ?? 0
        let used = usage > dropped ? usage - dropped : 0
        return limit > used ? limit - used : 0
    }

    private func file(_ name: String) -> String { mount + (path == "/" ? "" : path) + "/" + name }

    /// The number in a file; "max" is none.
    private func number(_ name: String, _ read: (String) -> String?) -> UInt64? {
        read(file(name)).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }
}
