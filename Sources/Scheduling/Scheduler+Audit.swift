internal import DequeModule
internal import KVCache

/// Whether the books are right: for tests.
extension Scheduler {
    /// What is wrong with the ownership of slots; nil when every slot is free, the tree's or one request's, and the counts say so.
    /// Walks everything.
    package func slotError() -> String? {
        var owners = [Int](repeating: 0, count: limits.storeRows)
        for slot in pool.freeSlots + tree.allSlots { owners[Int(slot)] += 1 }
        var own = 0
        for row in running {
            let request = table.rows[row]
            let first = request.slots[request.treeOwned...]
            for index in stride(from: first.startIndex, to: first.endIndex, by: limits.pageSize) {
                for offset in 0..<limits.pageSize { owners[Int(first[index]) + offset] += 1 }
                own += limits.pageSize
            }
            for (position, slot) in request.slots.enumerated()
            where Int(slot) % limits.pageSize != position % limits.pageSize {
                return "request \(request.id) has position \(position) in slot \(slot)"
            }
            if request.computed > request.slots.count { return "request \(request.id) has computed what has no slot" }
        }
        if let slot = owners.indices.first(where: { owners[$0] != ($0 < limits.pageSize ? 0 : 1) }) {
            return "slot \(slot) has \(owners[slot]) owners"
        }
        if own != ownSlots { return "requests own \(own) slots, the count says \(ownSlots)" }
        if tree.allSlots.count != tree.evictable + tree.protected { return "the tree's counts are wrong" }
        let queued = waiting.reduce(0) { $0 + table.rows[$1].tokens.count }
        if queued != waitingTokens { return "\(queued) tokens wait, the count says \(waitingTokens)" }
        if let error = windowError() { return error }
        let counts = self.counts
        return counts.free + counts.cached + counts.held == counts.total ? nil : "the counts do not add up: \(counts)"
    }
}
