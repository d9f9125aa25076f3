internal import DequeModule
internal import KVCache

/// Where slots change hands.
extension Scheduler {
    /// Slots that could be had without taking any from a running request.
    var obtainable: Int { pool.available + tree.evictable }

    /// Gives a request slots for `count` more positions; false and nothing taken when there are not enough.
    mutating func grow(_ id: UInt64, by count: Int) -> Bool {
        if pool.available < count {
            // A little more than needed, so that the heap of candidates is not built again for the next row.
            pool.give(tree.evict(max(count - pool.available, min(tree.evictable, limits.slots / 64))))
        }
        return pool.take(count, into: &requests[id]!.slots)
    }

    /// Puts what a request has computed into the prefix tree and keeps it locked.
    ///
    /// Positions that the tree had already keep the tree's slots: the request's own duplicates are freed and its rows repointed.
    /// (Invariant numerics make the two copies equal.)
    mutating func cache(_ id: UInt64) {
        guard limits.usesPrefixCache, let request = requests[id], request.computed > request.treeOwned else { return }
        let (match, cached) = tree.insert(
            request.tokens[..<request.computed], slots: request.slots[..<request.computed], namespace: request.namespace
        )
        if cached > request.treeOwned {
            pool.give(request.slots[request.treeOwned..<cached])
            requests[id]!.slots.replaceSubrange(
                request.treeOwned..<cached, with: match.slots[request.treeOwned..<cached])
        }
        tree.lock(match.node)
        if let old = request.lockedNode { tree.unlock(old) }
        requests[id]!.lockedNode = match.node
        requests[id]!.treeOwned = request.computed
    }

    /// Gives back what a request holds: its own slots to the pool, its lock to the tree.
    mutating func release(_ id: UInt64) {
        guard let request = requests[id] else { return }
        pool.give(request.slots[request.treeOwned...])
        if let node = request.lockedNode { tree.unlock(node) }
        requests[id]!.slots.removeAll()
        requests[id]!.treeOwned = 0
        requests[id]!.computed = 0
        requests[id]!.lockedNode = nil
    }

    /// A finished request leaves.
    mutating func retire(_ id: UInt64) {
        cache(id)
        release(id)
        requests[id] = nil
        running.removeAll { $0 == id }
    }

    /// Takes a running request's slots and queues it again, before all others. What it computed stays in the tree for as long as
    /// nobody needs the room.
    mutating func retract(_ id: UInt64) {
        cache(id)
        release(id)
        requests[id]!.retractions += 1
        retractionCount += 1
        running.removeAll { $0 == id }
        waiting.prepend(id)
    }

    /// Takes slots from the requests with the least output until every decoding request can grow by one.
    mutating func makeRoomForDecode(_ batch: inout Batch) {
        while true {
            let decoding = running.filter { requests[$0]?.isPrefilling == false }
            if decoding.count <= obtainable { return }
            guard running.count > 1, let victim = cheapestVictim() else { return }
            retract(victim)
            batch.retracted.append(victim)
            reserveRatio.afterRetraction(running.compactMap { requests[$0] })
        }
    }

    /// The running request that loses least: least output, then the longer prompt, then the later one.
    func cheapestVictim() -> UInt64? {
        running.enumerated().min { left, right in
            let a = requests[left.element]!
            let b = requests[right.element]!
            return (a.outputCount, -a.promptCount, -left.offset) < (b.outputCount, -b.promptCount, -right.offset)
        }?.element
    }
}
