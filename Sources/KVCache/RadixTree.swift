internal import HeapModule

/// Which prefixes have their keys and values in slots: a radix tree over token ids, one root for each namespace.
///
/// A node owns the slots of its edge. Requests lock the path they use; slots of unlocked leaves can be evicted, least recently used
/// first. The tree holds integers only.
package struct RadixTree: ~Copyable {
    /// A node of the tree; valid while it or something below it is locked.
    package struct Node: Hashable, Sendable {
        let index: Int
    }

    /// The longest cached prefix of a key.
    package struct Match {
        /// The slots of the prefix in position order.
        package var slots: [Int32]
        /// Where the prefix ends; lock it to keep the slots.
        package var node: Node
    }

    struct Entry {
        var tokens: [Int32] = []
        var slots: [Int32] = []
        var parent = -1
        var children: [Int32: Int] = [:]
        var locks = 0
        var used: UInt64 = 0
    }

    private(set) var entries: [Entry] = []
    private var unusedEntries: [Int] = []
    private var roots: [String: Int] = [:]
    private var clock: UInt64 = 0
    /// Slots in the tree that nobody has locked.
    package private(set) var evictable = 0
    /// Slots in the tree on locked paths.
    package private(set) var protected = 0

    package init() {}

    /// The longest cached prefix of `tokens` in a namespace. A node matched partway is split.
    package mutating func match(_ tokens: ArraySlice<Int32>, namespace: String) -> Match {
        clock += 1
        var slots: [Int32] = []
        var node = root(namespace)
        var rest = tokens
        while let first = rest.first, let child = entries[node].children[first] {
            let common = commonPrefix(entries[child].tokens, rest)
            entries[child].used = clock
            node = common < entries[child].tokens.count ? split(child, at: common) : child
            slots += entries[node].slots
            rest = rest.dropFirst(common)
            if common < entries[node].tokens.count { break }
        }
        return Match(slots: slots, node: Node(index: node))
    }

    /// Makes `tokens` with `slots` cached. Where the prefix was there already the tree keeps its own slots.
    ///
    /// - Returns: The slots that the tree now uses for the whole key (the caller's own ones beyond `alreadyCached`) and its end.
    ///   The caller's slots at positions below `alreadyCached` are not owned by the tree: equal ones are the tree's own, others are
    ///   duplicates that the caller frees.
    package mutating func insert(
        _ tokens: ArraySlice<Int32>, slots: ArraySlice<Int32>, namespace: String
    ) -> (match: Match, alreadyCached: Int) {
        precondition(tokens.count == slots.count)
        var found = match(tokens, namespace: namespace)
        let cached = found.slots.count
        guard cached < tokens.count else { return (found, cached) }
        var entry = Entry()
        entry.tokens = Array(tokens.dropFirst(cached))
        entry.slots = Array(slots.dropFirst(cached))
        entry.parent = found.node.index
        entry.used = clock
        evictable += entry.slots.count
        found.slots += entry.slots
        let first = entry.tokens[0]
        let index = place(entry)
        entries[found.node.index].children[first] = index
        return (Match(slots: found.slots, node: Node(index: index)), cached)
    }

    /// Keeps the path from the root to `node` from being evicted; balance with `unlock`.
    package mutating func lock(_ node: Node) {
        var index = node.index
        while entries[index].parent >= 0 {
            if entries[index].locks == 0 {
                evictable -= entries[index].slots.count
                protected += entries[index].slots.count
            }
            entries[index].locks += 1
            index = entries[index].parent
        }
    }

    /// Takes one lock from the path.
    package mutating func unlock(_ node: Node) {
        var index = node.index
        while entries[index].parent >= 0 {
            precondition(entries[index].locks > 0, "unlocked a path that is not locked")
            entries[index].locks -= 1
            if entries[index].locks == 0 {
                evictable += entries[index].slots.count
                protected -= entries[index].slots.count
            }
            index = entries[index].parent
        }
    }

    /// Forgets unlocked leaves, least recently used first, until at least `count` slots are free or none is left.
    ///
    /// - Returns: The freed slots.
    package mutating func evict(_ count: Int) -> [Int32] {
        var freed: [Int32] = []
        var candidates = Heap<Candidate>()
        for (index, entry) in entries.enumerated() where isEvictable(entry) {
            candidates.insert(Candidate(used: entry.used, index: index))
        }
        while freed.count < count, let oldest = candidates.popMin() {
            let entry = entries[oldest.index]
            freed += entry.slots
            evictable -= entry.slots.count
            remove(oldest.index)
            let parent = entries[entry.parent]
            if isEvictable(parent) { candidates.insert(Candidate(used: parent.used, index: entry.parent)) }
        }
        return freed
    }

    /// Forgets everything that is not locked; the freed slots.
    package mutating func evictAll() -> [Int32] { evict(evictable) }

    private func isEvictable(_ entry: Entry) -> Bool {
        entry.parent >= 0 && entry.locks == 0 && entry.children.isEmpty
    }

    private mutating func root(_ namespace: String) -> Int {
        if let index = roots[namespace] { return index }
        let index = place(Entry())
        roots[namespace] = index
        return index
    }

    private mutating func place(_ entry: Entry) -> Int {
        if let index = unusedEntries.popLast() {
            entries[index] = entry
            return index
        }
        entries.append(entry)
        return entries.count - 1
    }

    private mutating func remove(_ index: Int) {
        let entry = entries[index]
        entries[entry.parent].children[entry.tokens[0]] = nil
        // An unused entry has no parent and no tokens, so it is never a candidate.
        entries[index] = Entry()
        unusedEntries.append(index)
    }

    /// Cuts a node in two: a new upper node with the first `length` tokens, and the old node, whose handle stays valid, below it.
    private mutating func split(_ index: Int, at length: Int) -> Int {
        var upper = Entry()
        upper.tokens = Array(entries[index].tokens[..<length])
        upper.slots = Array(entries[index].slots[..<length])
        upper.parent = entries[index].parent
        upper.locks = entries[index].locks
        upper.used = entries[index].used
        upper.children = [entries[index].tokens[length]: index]
        let upperIndex = place(upper)
        entries[upper.parent].children[upper.tokens[0]] = upperIndex
        entries[index].tokens.removeFirst(length)
        entries[index].slots.removeFirst(length)
        entries[index].parent = upperIndex
        return upperIndex
    }
}

private struct Candidate: Comparable {
    let used: UInt64
    let index: Int

    static func < (left: Self, right: Self) -> Bool { (left.used, left.index) < (right.used, right.index) }
}

/// How many leading elements are equal.
package func commonPrefix(_ left: [Int32], _ right: ArraySlice<Int32>) -> Int {
    var length = 0
    var index = right.startIndex
    while length < left.count, index < right.endIndex, left[length] == right[index] {
        length += 1
        index += 1
    }
    return length
}
