internal import DequeModule
internal import KVCache
internal import Values

/// In which order waiting requests are tried.
extension Scheduler {
    /// Above this many waiting requests it costs more to match every prompt than it gains (SGLang's limit for these policies).
    private static let longQueue = 128

    /// The waiting requests as the policy orders them now; those that ran already come first in any.
    mutating func admissionOrder() -> [Int] {
        let queue = Array(waiting)
        let policy = effectivePolicy
        if policy == .fcfs || policy == .lof { return queue }
        let retracted = queue.prefix { table.rows[$0].retractions > 0 }
        let rest = queue[retracted.endIndex...]
        return retracted + ordered(rest, by: policy)
    }

    private var effectivePolicy: SchedulePolicy {
        if limits.policy.isCacheAware, !limits.usesPrefixCache { return .fcfs }
        if limits.policy == .lpm || limits.policy == .hrrn, waiting.count > Self.longQueue { return .fcfs }
        return limits.policy
    }

    private mutating func ordered(_ rows: ArraySlice<Int>, by policy: SchedulePolicy) -> [Int] {
        switch policy {
        case .fcfs, .lof: return Array(rows)
        case .random: return rows.shuffled(using: &random)
        case .lpm: return sorted(rows.map { ($0, Double(-cachedLength($0))) })
        case .shortestPrefillFirst:
            return sorted(rows.map { ($0, Double(table.rows[$0].tokens.count - cachedLength($0))) })
        case .hrrn: return sorted(rows.map { ($0, -responseRatio($0)) })
        case .routingKey:
            var sharers: [ClientName: Int] = [:]
            for row in running where !table.rows[row].routingKey.isEmpty {
                sharers[table.rows[row].routingKey, default: 0] += 1
            }
            return sorted(rows.map { ($0, -Double(sharers[table.rows[$0].routingKey] ?? 0)) })
        case .dfsWeight: return depthFirst(Array(rows))
        }
    }

    /// By key, smallest first; equals stay in the order they have.
    private func sorted(_ keyed: [(row: Int, key: Double)]) -> [Int] {
        keyed.enumerated().sorted { left, right in
            (left.element.key, left.offset) < (right.element.key, right.offset)
        }.map(\.element.row)
    }

    /// A request that waits gains on others the longer they keep the engine busy, the faster the less it needs itself.
    private mutating func responseRatio(_ row: Int) -> Double {
        let cached = cachedLength(row)
        if cached == pool.wholePages(table.rows[row].matchable) { return .infinity }
        let waited = tally.prefilledTokens - table.rows[row].prefillAtArrival
        return 1 + Double(waited) / Double(table.rows[row].tokens.count - cached)
    }

    /// Compares two requests where their paths part: the branch with more waiting requests comes first, of equal ones the one with the
    /// earlier request; the longer path where one goes on.
    private mutating func depthFirst(_ rows: [Int]) -> [Int] {
        var weights: [Int: (count: Int, first: UInt64)] = [:]
        for row in rows {
            _ = cachedLength(row)
            let arrival = table.rows[row].arrival
            for node in table.rows[row].probe.path {
                let known = weights[node, default: (0, .max)]
                weights[node] = (known.count + 1, min(known.first, arrival))
            }
        }
        return rows.sorted { left, right in
            let paths = (table.rows[left].probe.path, table.rows[right].probe.path)
            if let (a, b) = zip(paths.0, paths.1).first(where: { $0 != $1 }), let x = weights[a], let y = weights[b] {
                return x.count != y.count ? x.count > y.count : x.first < y.first
            }
            if paths.0.count != paths.1.count { return paths.0.count > paths.1.count }
            return table.rows[left].arrival < table.rows[right].arrival
        }
    }

    /// Tokens that a waiting request would find in the cache now.
    mutating func cachedLength(_ row: Int) -> Int {
        guard limits.usesPrefixCache else { return 0 }
        if table.rows[row].probedVersion != tree.version {
            table.rows[row].probe = tree.probe(
                table.rows[row].tokens[..<max(0, table.rows[row].matchable)], namespace: table.rows[row].namespace)
            table.rows[row].probedVersion = tree.version
        }
        return table.rows[row].probe.length
    }
}
