internal import ChildRuntime
internal import Values

/// How many KV slots the machine has room for.
package struct MemoryBudget: Equatable {
    /// Bytes the server may use beyond what others use now: available memory, or what the control groups leave, whichever is less.
    package let available: UInt64
    /// Bytes there are in all, whoever has them now: the machine's memory, or the least that a control group allows.
    package let limit: UInt64

    /// Share of the memory for weights and KV cache unless the operator says otherwise. Generous reserves cost nothing: the pool is
    /// touched slot by slot, and pages that other processes need stay theirs.
    static let defaultFraction = 0.6
    /// A larger pool serves nobody on a CPU.
    package static let mostTokens = 1 << 20

    /// Reads the machine's numbers.
    package static func current() -> MemoryBudget { MemoryBudget(reading: SmallFile.text) }

    /// Reads them from files by path; nil: there is no such file.
    package init(reading read: (String) -> String?) {
        let machine =
            read("/proc/meminfo").flatMap { namedNumber("MemAvailable:", in: $0) }.map { $0 * 1024 } ?? 4 << 30
        let groups = ControlGroup.all(read("/proc/self/cgroup") ?? "").flatMap(\.withAncestors)
        available = groups.compactMap { $0.room(read) }.reduce(machine, min)
        let total = read("/proc/meminfo").flatMap { namedNumber("MemTotal:", in: $0) }.map { $0 * 1024 } ?? .max
        limit = groups.compactMap { $0.limit(read) }.reduce(total, min)
    }

    /// Slots for a model whose weights take `weightBytes`, or nil when not even the weights fit. Both sizes are sums over all ranks, which
    /// share the machine.
    package func slots(bytesPerSlot: Int, weightBytes: UInt64, fraction: Double?) -> Int? {
        let budget = Double(available) * (fraction ?? Self.defaultFraction) - Double(weightBytes)
        let slots = budget / Double(bytesPerSlot)
        return slots >= 1 ? Int(min(slots, Double(Self.mostTokens))) : nil
    }

    /// Refuses a pool of the operator's that can never fit beside the weights, with both sizes. It is touched slot by slot, so one that is
    /// larger than what is free just now may do well; and a worker that comes back is not refused what it had.
    package func check(slots: Int, bytesPerSlot: Int, weightBytes: UInt64) throws {
        // The list of free slots is there from the start.
        let pool = Double(slots) * Double(bytesPerSlot + MemoryLayout<Int32>.size)
        guard pool + Double(weightBytes) > Double(limit) else { return }
        throw PoolTooLarge(slots: slots, pool: UInt64(pool), weights: weightBytes, limit: limit)
    }
}

/// `--max-total-tokens` asks for more than there is.
private struct PoolTooLarge: Error, CustomStringConvertible {
    let slots: Int
    let pool: UInt64
    let weights: UInt64
    let limit: UInt64

    var description: String {
        "--max-total-tokens \(slots): a KV pool of \(pool >> 20) MiB and weights of \(weights >> 20) MiB do not fit into the "
            + "\(limit >> 20) MiB of memory that this server may have"
    }
}
