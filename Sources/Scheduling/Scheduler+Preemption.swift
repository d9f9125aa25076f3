internal import DequeModule
internal import KVCache

/// How a more urgent request gets in when the less urgent ones hold what it needs.
extension Scheduler {
    /// Retracts running requests, the least urgent and of these the latest first, until the most urgent waiting one can be admitted in
    /// this step; none when even all that may be preempted would not be enough.
    mutating func preemptForUrgent(_ batch: inout Batch) {
        guard let rules = limits.priorities, let urgent = waiting.first else { return }
        let rank = table.rows[urgent].rank
        let candidates = running.filter { rules.preempts(rank, table.rows[$0].rank) }.sorted { left, right in
            let ranks = (table.rows[left].rank, table.rows[right].rank)
            return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : table.rows[left].arrival > table.rows[right].arrival
        }
        guard !candidates.isEmpty, !sharesPrefixUnderWay(urgent) else { return }
        var shortage = Shortage(of: urgent, in: self)
        var victims: [Int] = []
        for row in candidates where shortage.isEased(byPrefill: table.rows[row].isPrefilling) {
            shortage.take(row, in: self)
            victims.append(row)
        }
        guard !shortage.exists else { return }
        for row in victims {
            batch.preempted.append(table.rows[row].id)
            retract(row)
        }
    }
}

/// What a waiting request lacks; a part that is positive keeps it out.
private struct Shortage {
    private var places: Int
    private var slots: Int
    /// The prompts under way would use up the step's tokens.
    private var stepTokens: Int
    /// As many prompts are under way as a step may have.
    private var stepPlaces: Int

    init(of row: Int, in scheduler: borrowing Scheduler) {
        let request = scheduler.table.rows[row]
        var cached = RadixTree.Probe()
        if scheduler.limits.usesPrefixCache, request.matchable > 0 {
            cached = scheduler.tree.probe(request.tokens[..<request.matchable], namespace: request.namespace)
        }
        let prefilling = scheduler.running.filter { scheduler.table.rows[$0].isPrefilling }
        var reserved = 0
        for other in scheduler.running { reserved += scheduler.reserve(other) }
        places = scheduler.running.count + 1 - scheduler.limits.maxRunning
        slots = scheduler.need(row, cached: cached.length) + cached.unlocked + reserved - scheduler.obtainable
        stepTokens = 1 - scheduler.limits.chunkTokens
        for other in prefilling { stepTokens += scheduler.table.rows[other].uncomputed }
        stepPlaces = scheduler.limits.prefillRequests.map { prefilling.count + 1 - $0 } ?? 0
    }

    var exists: Bool { places > 0 || slots > 0 || stepTokens > 0 || stepPlaces > 0 }

    /// It helps if a request is retracted.
    func isEased(byPrefill isPrefilling: Bool) -> Bool {
        places > 0 || slots > 0 || (isPrefilling && (stepTokens > 0 || stepPlaces > 0))
    }

    /// Counts what the retraction of a running request gives.
    mutating func take(_ row: Int, in scheduler: borrowing Scheduler) {
        let request = scheduler.table.rows[row]
        places -= 1
        slots -= scheduler.pool.pageSpan(request.slots.count) - request.treeOwned + scheduler.reserve(row)
        if let node = request.lockedNode { slots -= scheduler.tree.lockedOnce(node) }
        guard request.isPrefilling else { return }
        stepTokens -= request.uncomputed
        stepPlaces -= 1
    }
}
