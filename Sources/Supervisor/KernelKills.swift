internal import ChildRuntime

/// Tells the deaths by SIGKILL that were the kernel's doing, since memory was short, from those by somebody's hand: the
/// kernel counts what it ends.
///
/// The count grows before the process is gone, and a large one takes a while to go; so what was counted waits for the
/// death that it explains, but not for long: others may share the control group.
package struct KernelKills: Sendable {
    /// Seconds that a kill waits for its death.
    static let patience = 30.0

    private var counted: UInt64?
    /// When the kills were seen that explain no death yet, oldest first.
    private var waiting: [Double] = []

    package init() {}

    /// Looks at the count; nil where nobody counts.
    package mutating func observe(_ count: UInt64?, at now: Double) {
        waiting.removeAll { now - $0 > Self.patience }
        guard let count else { return }
        // More than a handful are nobody's of this server.
        let new = counted.map { count > $0 ? min(count - $0, 64) : 0 } ?? 0
        counted = count
        waiting += Array(repeating: now, count: Int(new))
    }

    /// Whether a kill by the kernel explains a death; each explains one.
    package mutating func explainsDeath() -> Bool { waiting.popLast() != nil }
}

/// Where the kernel counts what it ends for want of memory, and what bounds the memory of this server.
package struct MemoryCounters {
    private let read: (String) -> String?
    private let group: ControlGroup?
    /// Bytes that the control group, or one above it, allows; nil when only the machine bounds the server.
    package let limit: UInt64?

    /// Looks for the counters of this process; they count its children's deaths, too. `read` gives a file by path.
    package init(reading read: @escaping (String) -> String?) {
        self.read = read
        let groups = ControlGroup.all(read("/proc/self/cgroup") ?? "").flatMap(\.withAncestors)
        group = groups.first { $0.kills(read) != nil }
        limit = groups.compactMap { $0.limit(read) }.min().flatMap { $0 < 1 << 60 ? $0 : nil }
    }

    /// Processes that the kernel has ended so far: of the control group, or of the whole machine where there is none.
    package var kills: UInt64? {
        group?.kills(read) ?? read("/proc/vmstat").flatMap { namedNumber("oom_kill", in: $0) }
    }
}
