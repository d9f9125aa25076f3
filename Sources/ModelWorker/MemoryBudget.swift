internal import Glibc

/// How many KV slots the machine has room for.
struct MemoryBudget {
    /// Bytes this process may use beyond what others use now: available memory, or what the control group leaves, whichever is less.
    let available: UInt64

    /// Share of the memory for weights and KV cache unless the operator says otherwise. Generous reserves cost nothing: the pool is
    /// touched slot by slot, and pages that other processes need stay theirs.
    static let defaultFraction = 0.6
    /// A larger pool serves nobody on a CPU.
    static let mostTokens = 1 << 20

    /// Reads the machine's numbers.
    static func current() -> MemoryBudget {
        let machine = field("MemAvailable", in: contents("/proc/meminfo")).map { $0 * 1024 } ?? 4 << 30
        var group = UInt64.max
        if let limit = number("/sys/fs/cgroup/memory.max") {
            let used = number("/sys/fs/cgroup/memory.current") ?? 0
            group = limit > used ? limit - used : 0
        }
        return MemoryBudget(available: min(machine, group))
    }

    /// Slots for a model whose weights take `weightBytes`, or nil when not even the weights fit.
    func slots(bytesPerSlot: Int, weightBytes: UInt64, fraction: Double?) -> Int? {
        let budget = Double(available) * (fraction ?? Self.defaultFraction) - Double(weightBytes)
        let slots = Int(budget / Double(bytesPerSlot))
        return slots > 0 ? min(slots, Self.mostTokens) : nil
    }

    private static func contents(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }

    private static func number(_ path: String) -> UInt64? {
        UInt64(contents(path).split(whereSeparator: \.isWhitespace).first ?? "")
    }

    private static func field(_ name: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            return UInt64(line.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "")
        }
        return nil
    }
}
