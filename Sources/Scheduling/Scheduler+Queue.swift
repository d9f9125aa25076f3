internal import DequeModule
internal import Values

/// The waiting queue: where requests stand in it, and who is turned away when it is full.
extension Scheduler {
    /// One waiting request stands before another: the more urgent, then those that ran already, then by the policy where it does not
    /// depend on the state of the server, then by arrival.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        if table.rows[left].rank != table.rows[right].rank { return table.rows[left].rank > table.rows[right].rank }
        let ran = (table.rows[left].retractions > 0, table.rows[right].retractions > 0)
        if ran.0 != ran.1 { return ran.0 }
        if limits.policy == .lof, !ran.0, table.rows[left].maxNewTokens != table.rows[right].maxNewTokens {
            return table.rows[left].maxNewTokens > table.rows[right].maxNewTokens
        }
        return table.rows[left].arrival < table.rows[right].arrival
    }

    /// Puts a request into the queue.
    mutating func enqueue(_ row: Int) {
        table.rows[row].isWaiting = true
        table.rows[row].probedVersion = -1
        waitingTokens += table.rows[row].tokens.count
        // Binary search for the first one that stands behind it.
        var (low, high) = (0, waiting.count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(row, waiting[middle]) { high = middle } else { low = middle + 1 }
        }
        waiting.insert(row, at: low)
    }

    /// Takes a request out of the queue.
    mutating func leaveQueue(_ row: Int) {
        table.rows[row].isWaiting = false
        waitingTokens -= table.rows[row].tokens.count
        if let place = waiting.firstIndex(of: row) { waiting.remove(at: place) }
    }

    /// The waiting request that a newcomer of this rank displaces from a full queue: the least urgent, of these the latest, if the newcomer
    /// is more urgent. One that was accepted before, or ran already, keeps its place.
    func displaceable(by rank: Int64) -> Int? {
        guard limits.priorities != nil else { return nil }
        let candidate = waiting.filter { row in
            table.rows[row].rank < rank && table.rows[row].retractions == 0 && !table.rows[row].wasAccepted
        }.min { left, right in
            let ranks = (table.rows[left].rank, table.rows[right].rank)
            return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : table.rows[left].arrival > table.rows[right].arrival
        }
        return candidate
    }
}
