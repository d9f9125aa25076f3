internal import HeapModule
package import Values

/// Which prefixes have their keys and values in slots: a radix tree over token ids, one root for each namespace.
///
/// Edges are whole pages long. A node owns the slots of its edge. Requests lock the path they use; slots of unlocked leaves can be
/// evicted, least recently used first. The tree holds integers only.
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

    /// What became of a key that was inserted.
    package struct Insertion {
        /// The tree's slots for the leading part of the key that was cached already.
        package var known: [Int32]
        /// Where the key ends; lock it to keep the slots.
        package var node: Node
    }

    /// How much of a key is cached, found without touching anything.
    package struct Probe: Sendable {
        /// Tokens of the longest cached prefix.
        package var length = 0
        /// Those of them that nobody has locked.
        package var unlocked = 0
        /// The nodes from the root on; the last may be matched in part.
        package var path: [Int] = []

        /// Nothing is cached.
        package init() {}
    }

    struct Entry {
        var tokens: [Int32] = []
        var slots: [Int32] = []
        var parent = -1
        /// By the first page of the child's edge.
        var children: [ArraySlice<Int32>: Int] = [:]
        var locks = 0
        var used: UInt64 = 0
        /// A candidate for eviction stands for it in the heap.
        var isListed = false
    }

    let pageSize: Int
    var entries: [Entry] = []
    var candidates = Heap<Candidate>()
    private var unusedEntries: [Int] = []
    private var roots: [ClientName: Int] = [:]
    private var namespaces: [Int: ClientName] = [:]
    private var clock: UInt64 = 0
    /// Slots in the tree that nobody has locked.
    package internal(set) var evictable = 0
    /// Slots in the tree on locked paths.
    package private(set) var protected = 0
    /// Changes whenever a probe may come out differently (but for its unlocked part).
    package internal(set) var version = 0

    /// An empty tree for a pool with pages of this size.
    package init(pageSize: Int = 1) {
        self.pageSize = pageSize
    }

    /// How much of `tokens` is cached.
    package func probe(_ tokens: ArraySlice<Int32>, namespace: ClientName) -> Probe {
        var probe = Probe()
        guard var node = roots[namespace] else { return probe }
        var rest = tokens
        probe.path.append(node)
        while let (child, common) = next(below: node, rest) {
            probe.path.append(child)
            probe.length += common
            if entries[child].locks == 0 { probe.unlocked += common }
            if common < entries[child].tokens.count { break }
            rest = rest.dropFirst(common)
            node = child
        }
        return probe
    }

    /// The longest cached prefix of `tokens` in whole pages; nil when there is none. A node matched partway is split.
    package mutating func match(_ tokens: ArraySlice<Int32>, namespace: ClientName) -> Match? {
        clock += 1
        guard let root = roots[namespace] else { return nil }
        let (slots, node) = descend(from: root, tokens)
        return slots.isEmpty ? nil : Match(slots: slots, node: Node(index: node))
    }

    /// Makes `tokens` with `slots`, whole pages of both, cached below a node (the namespace's root when nil). Where the tree has them
    /// already it keeps its own slots.
    ///
    ///     slots   [ known: the caller's are duplicates, which it frees | the rest: the tree's from now on ]
    package mutating func insert(
        _ tokens: ArraySlice<Int32>, slots: ArraySlice<Int32>, after start: Node? = nil, namespace: ClientName
    ) -> Insertion {
        precondition(tokens.count == slots.count && tokens.count % pageSize == 0 && !tokens.isEmpty)
        clock += 1
        let (known, node) = descend(from: start?.index ?? root(namespace), tokens)
        guard known.count < tokens.count else { return Insertion(known: known, node: Node(index: node)) }
        var entry = Entry()
        entry.tokens = Array(tokens.dropFirst(known.count))
        entry.slots = Array(slots.dropFirst(known.count))
        entry.parent = node
        entry.used = clock
        evictable += entry.slots.count
        let key = firstPage(entry)
        let index = place(entry)
        entries[node].children[key] = index
        list(index)
        return Insertion(known: known, node: Node(index: index))
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
        clock += 1
        var index = node.index
        while entries[index].parent >= 0 {
            precondition(entries[index].locks > 0, "unlocked a path that is not locked")
            entries[index].locks -= 1
            entries[index].used = clock
            if entries[index].locks == 0 {
                evictable += entries[index].slots.count
                protected -= entries[index].slots.count
                list(index)
            }
            index = entries[index].parent
        }
    }

    /// Slots that one `unlock` of the path would make evictable.
    package func lockedOnce(_ node: Node) -> Int {
        var index = node.index
        var count = 0
        while entries[index].parent >= 0 {
            if entries[index].locks == 1 { count += entries[index].slots.count }
            index = entries[index].parent
        }
        return count
    }

    /// Every slot in the tree; for checks of ownership.
    package var allSlots: [Int32] { entries.flatMap(\.slots) }

    /// The child that shares at least a page with `rest`, and how much of it does.
    private func next(below node: Int, _ rest: ArraySlice<Int32>) -> (child: Int, common: Int)? {
        guard rest.count >= pageSize, let child = entries[node].children[rest.prefix(pageSize)] else { return nil }
        let common = commonPrefix(entries[child].tokens, rest)
        return (child, common - common % pageSize)
    }

    /// Follows `tokens` as far as they are cached, marks the path as used and ends it at a node of its own.
    private mutating func descend(from start: Int, _ tokens: ArraySlice<Int32>) -> (slots: [Int32], node: Int) {
        var slots: [Int32] = []
        var node = start
        var rest = tokens
        while let (child, common) = next(below: node, rest) {
            node = common < entries[child].tokens.count ? split(child, at: common) : child
            entries[node].used = clock
            slots += entries[node].slots
            rest = rest.dropFirst(common)
        }
        return (slots, node)
    }

    private mutating func root(_ namespace: ClientName) -> Int {
        if let index = roots[namespace] { return index }
        let index = place(Entry())
        roots[namespace] = index
        namespaces[index] = namespace
        return index
    }

    private func firstPage(_ entry: Entry) -> ArraySlice<Int32> {
        // A copy, so that the key does not keep the whole edge in memory.
        Array(entry.tokens.prefix(pageSize))[...]
    }

    private mutating func place(_ entry: Entry) -> Int {
        version += 1
        if let index = unusedEntries.popLast() {
            entries[index] = entry
            return index
        }
        entries.append(entry)
        return entries.count - 1
    }

    /// Forgets a leaf, and its namespace with the last one.
    mutating func remove(_ index: Int) {
        let parent = entries[index].parent
        entries[parent].children[entries[index].tokens.prefix(pageSize)] = nil
        free(index)
        if entries[parent].children.isEmpty, let namespace = namespaces.removeValue(forKey: parent) {
            roots[namespace] = nil
            free(parent)
        }
    }

    private mutating func free(_ index: Int) {
        version += 1
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
        entries[index].tokens.removeFirst(length)
        entries[index].slots.removeFirst(length)
        upper.children = [firstPage(entries[index]): index]
        let key = firstPage(upper)
        let upperIndex = place(upper)
        entries[entries[index].parent].children[key] = upperIndex
        entries[index].parent = upperIndex
        return upperIndex
    }
}

/// How many leading elements are equal.
package func commonPrefix(_ left: [Int32], _ right: ArraySlice<Int32>) -> Int {
    let most = min(left.count, right.count)
    let start = right.startIndex
    var length = 0
    while length < most, left[length] == right[start + length] { length += 1 }
    return length
}
