internal import ChildRuntime
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
        let machine = read("/proc/meminfo").flatMap { namedNumber("MemAvailable:", in: $0) }.map { $0 * 1024 } ?? 4 << 30
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
}
