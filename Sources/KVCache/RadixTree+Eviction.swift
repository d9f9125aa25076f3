internal import HeapModule

/// A leaf that may be evicted, as it was when it was listed.
struct Candidate: Comparable {
    let used: UInt64
    let index: Int

    static func < (left: Self, right: Self) -> Bool { (left.used, left.index) < (right.used, right.index) }
}

/// Which prefixes are forgotten first.
///
/// The heap is kept between evictions and corrected where it is popped: a listed node may have been used again, locked or grown children
/// since. Each node is listed at most once, so the heap is no larger than the tree.
extension RadixTree {
    /// Forgets unlocked leaves, least recently used first, until at least `count` slots are free or none is left. Of the last leaf only
    /// as much of the end goes as is needed.
    ///
    /// - Returns: The freed slots, in whole pages.
    package mutating func evict(_ count: Int) -> [Int32] {
        var freed: [Int32] = []
        while freed.count < count, let oldest = candidates.popMin() {
            let index = oldest.index
            entries[index].isListed = false
            guard isEvictable(index), entries[index].used == oldest.used else {
                list(index)
                continue
            }
            let wanted = (count - freed.count + pageSize - 1) / pageSize * pageSize
            let taken = min(wanted, entries[index].slots.count)
            freed += entries[index].slots.suffix(taken)
            evictable -= taken
            if taken < entries[index].slots.count {
                entries[index].tokens.removeLast(taken)
                entries[index].slots.removeLast(taken)
                version += 1
                list(index)
            } else {
                let parent = entries[index].parent
                remove(index)
                list(parent)
            }
        }
        return freed
    }

    /// Forgets everything that is not locked; the freed slots.
    package mutating func evictAll() -> [Int32] { evict(evictable) }

    /// The slots of each node, those of the least recently used first, whether anybody has locked them or not.
    package func slotsByUse() -> [[Int32]] {
        entries.filter { $0.parent >= 0 }.sorted { $0.used < $1.used }.map(\.slots)
    }

    /// Puts a node among the candidates, if it is one and not there yet.
    mutating func list(_ index: Int) {
        guard isEvictable(index), !entries[index].isListed else { return }
        entries[index].isListed = true
        candidates.insert(Candidate(used: entries[index].used, index: index))
    }

    private func isEvictable(_ index: Int) -> Bool {
        entries[index].parent >= 0 && entries[index].locks == 0 && entries[index].children.isEmpty
    }
}
