internal import DequeModule
internal import KVCache

/// Where slots change hands.
extension Scheduler {
    /// Slots that could be had without taking any from a running request.
    var obtainable: Int { pool.available + tree.evictable }

    /// Gives a request slots for `count` more positions; false and nothing taken when there are not enough.
    mutating func grow(_ row: Int, by count: Int) -> Bool {
        let held = table.rows[row].slots.count
        let needed = pool.pageSpan(held + count) - pool.pageSpan(held)
        if needed > pool.available {
            // A little more than needed, so that not every row of a full pool has to evict.
            let evicted = tree.evict(max(needed - pool.available, min(tree.evictable, limits.slots / 64)))
            tally.evictedTokens += evicted.count
            giveBack(evicted[...])
        }
        guard makeWindowRoom(needed), pool.take(count, into: &table.rows[row].slots) else { return false }
        if limits.window != nil { windowPages.take(table.rows[row].slots[held...]) }
        ownSlots += needed
        return true
    }

    /// Puts the whole pages that a request has computed into the prefix tree and keeps them locked.
    ///
    /// Positions that the tree had already keep the tree's slots: the request's own duplicates are freed and its rows repointed.
    /// (Invariant numerics make the two copies equal.)
    ///
    ///     before   [ tree's | own ................... | own, part of a page ]
    ///     after    [ tree's | tree's known | tree's new | own, part of a page ]
    mutating func cache(_ row: Int) {
        let owned = table.rows[row].treeOwned
        let end = pool.wholePages(table.rows[row].computed)
        guard limits.usesPrefixCache, end > owned else { return }
        let inserted = tree.insert(
            table.rows[row].tokens[owned..<end], slots: table.rows[row].slots[owned..<end],
            after: table.rows[row].lockedNode, namespace: table.rows[row].namespace)
        let known = owned..<(owned + inserted.known.count)
        if !known.isEmpty {
            if limits.window != nil { windowPages.hand(table.rows[row].slots[known], to: inserted.known) }
            book.move(
                table.rows[row].slots[known.upperBound...], after: inserted.known[inserted.known.count - 1])
            giveBack(table.rows[row].slots[known])
            table.rows[row].slots.replaceSubrange(known, with: inserted.known)
        }
        ownSlots -= end - owned
        tree.lock(inserted.node)
        if let old = table.rows[row].lockedNode { tree.unlock(old) }
        table.rows[row].lockedNode = inserted.node
        table.rows[row].treeOwned = end
    }

    /// Gives back what a request holds: its own slots to the pool, its lock to the tree.
    private mutating func release(_ row: Int) {
        let own = table.rows[row].slots[table.rows[row].treeOwned...]
        giveBack(own)
        ownSlots -= pool.pageSpan(own.count)
        if let node = table.rows[row].lockedNode { tree.unlock(node) }
        table.rows[row].slots = []
        table.rows[row].treeOwned = 0
        table.rows[row].computed = 0
        table.rows[row].fresh = 1
        table.rows[row].leftBehind = 0
        table.rows[row].lockedNode = nil
    }

    /// A running request gives back everything and runs no more.
    mutating func leaveRunning(_ row: Int) {
        release(row)
        if let place = running.firstIndex(of: row) { running.remove(at: place) }
    }

    /// A finished request leaves.
    mutating func retire(_ row: Int) {
        cache(row)
        leaveRunning(row)
        table.remove(row)
    }

    /// Takes a running request's slots and queues it again. What it computed stays in the tree for as long as nobody needs the room.
    mutating func retract(_ row: Int) {
        cache(row)
        leaveRunning(row)
        table.rows[row].retractions += 1
        tally.retractions += 1
        tally.retractedPromptTokens += table.rows[row].promptCount
        tally.retractedOutputTokens += table.rows[row].outputCount
        enqueue(row)
    }

    /// Takes slots from running requests until every decoding one can grow by what it has to compute.
    mutating func makeRoomForDecode(_ batch: inout Batch) {
        while true {
            let growth = running.reduce(0) { sum, row in
                guard !table.rows[row].isPrefilling else { return sum }
                let held = table.rows[row].slots.count
                return sum + pool.pageSpan(held + table.rows[row].uncomputed) - pool.pageSpan(held)
            }
            if growth <= obtainable, growth <= windowObtainable { return }
            guard running.count > 1, let victim = cheapestVictim() else { return }
            batch.retracted.append(table.rows[victim].id)
            retract(victim)
            reserveRatio.afterRetraction(
                decoded: running.reduce(0) { $0 + table.rows[$1].outputCount },
                limits: running.reduce(0) { $0 + table.rows[$1].maxNewTokens }, running: running.count)
        }
    }

    /// The running request that loses least: least output, then the longer prompt, then the later one; the least urgent first where
    /// priorities say so.
    func cheapestVictim() -> Int? {
        let guided = limits.priorities?.guidesRetraction == true
        return running.max { left, right in
            if guided, table.rows[left].rank != table.rows[right].rank {
                return table.rows[left].rank > table.rows[right].rank
            }
            let outputs = (table.rows[left].outputCount, table.rows[right].outputCount)
            if outputs.0 != outputs.1 { return outputs.0 > outputs.1 }
            let prompts = (table.rows[left].promptCount, table.rows[right].promptCount)
            if prompts.0 != prompts.1 { return prompts.0 < prompts.1 }
            return table.rows[left].arrival < table.rows[right].arrival
        }
    }
}
