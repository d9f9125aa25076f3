internal import Glibc
internal import Values

/// Which cores a rank computes on.
package struct CorePlan: Equatable {
    /// Threads of the rank, the main one included.
    package var threads: Int
    /// One core for each thread; nil leaves threads where the system puts them, because there are fewer cores than
    /// threads.
    package var cores: [Int]?

    /// Shares `machine`'s cores among `ranks`, or takes what the operator bound (`--cpu-bind`), of which `threads`, when
    /// given, are used.
    package init(_ machine: Cores, rank: Int, ranks: Int, threads wanted: Int?, binding: [[Int]]?) {
        if let binding, binding.indices.contains(rank), !binding[rank].isEmpty {
            let own = binding[rank]
            threads = wanted ?? own.count
            cores = threads <= own.count ? Array(own.prefix(threads)) : nil
            return
        }
        // A part of a core's time is no core of its own: the quota limits threads, not which cores they run on.
        let usable = min(machine.ordered.count, machine.quota ?? Int.max)
        let share = max(1, usable / ranks)
        threads = wanted ?? share
        let part = machine.ordered.count / ranks
        cores = threads <= part ? Array(machine.ordered[rank * part..<rank * part + threads]) : nil
    }
}

/// The processor cores of this process.
package struct Cores: Equatable {
    /// One logical core of each physical one, those of a NUMA node together.
    package var ordered: [Int]
    /// Cores' worth of time that the control group allows, rounded down but at least one; nil for no limit.
    package var quota: Int?

    package init(ordered: [Int], quota: Int? = nil) {
        self.ordered = ordered
        self.quota = quota
    }

    /// Reads the system's description of the cores `available` to this process.
    package static func current(available: [Int], root: String = "/sys") -> Cores {
        let nodes = available.reduce(into: [Int: Int]()) { $0[$1] = node(of: $1, root) }
        // Two threads of one physical core share its vector units: the second adds nothing to a product.
        let physical = available.filter { core in
            let siblings = SmallFile.firstLine("\(root)/devices/system/cpu/cpu\(core)/topology/thread_siblings_list")
                .flatMap(parse)
            return siblings?.first { available.contains($0) } ?? core == core
        }
        let ordered = physical.sorted { (nodes[$0] ?? 0, $0) < (nodes[$1] ?? 0, $1) }
        return Cores(ordered: ordered, quota: quota(root))
    }

    private static func node(of core: Int, _ root: String) -> Int {
        for node in 0..<64 where access("\(root)/devices/system/cpu/cpu\(core)/node\(node)", F_OK) == 0 { return node }
        return 0
    }

    private static func quota(_ root: String) -> Int? {
        guard let words = SmallFile.firstLine("\(root)/fs/cgroup/cpu.max")?.split(separator: " "), words.count == 2,
            let time = Double(words[0]), let period = Double(words[1]), period > 0
        else { return nil }
        return max(1, Int(time / period))
    }

    /// Reads `0-3,8`.
    static func parse(_ list: some StringProtocol) -> [Int]? {
        var cores: [Int] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last, first >= 0
            else { return nil }
            cores += first...last
        }
        return cores
    }
}
