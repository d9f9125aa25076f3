/// The symbols of one word while they merge; kept between words for its memory.
///
/// Symbols form a linked list in arrays. At each step the pair with the lowest rank merges, the leftmost of equals:
/// short words by searching all pairs, long ones with a heap, so that a word of n characters takes O(n log n).
struct MergeWork {
    private var symbols: [Int32] = []
    private var previous: [Int32] = []
    private var next: [Int32] = []
    /// For each symbol the merge with its right neighbour (see `MergeTable.merge`).
    private var pairs: [UInt64] = []
    /// Rank in the upper half, position in the lower; the smallest is at the top.
    private var heap: [UInt64] = []

    private static let longestSearch = 40

    mutating func removeAll() {
        symbols.removeAll(keepingCapacity: true)
    }

    mutating func append(_ id: Int32) {
        symbols.append(id)
    }

    /// Merges until no pair is left that merges.
    mutating func merge(with table: MergeTable) {
        let count = symbols.count
        if count < 2 { return }
        if count <= Self.longestSearch { mergeBySearch(table) } else { mergeByHeap(table) }
    }

    /// Appends what is left.
    func appendIDs(to ids: inout [Int32]) {
        ids.append(contentsOf: symbols)
    }

    private mutating func mergeBySearch(_ table: MergeTable) {
        pairs.removeAll(keepingCapacity: true)
        for index in 0..<symbols.count - 1 { pairs.append(table.merge(symbols[index], symbols[index + 1])) }
        while true {
            var best = MergeTable.noMerge
            var place = -1
            for index in pairs.indices where pairs[index] >> 32 < best >> 32 {
                best = pairs[index]
                place = index
            }
            if place < 0 { return }
            symbols[place] = Int32(truncatingIfNeeded: best)
            symbols.remove(at: place + 1)
            pairs.remove(at: place)
            if place > 0 { pairs[place - 1] = table.merge(symbols[place - 1], symbols[place]) }
            if place < pairs.count { pairs[place] = table.merge(symbols[place], symbols[place + 1]) }
        }
    }

    private mutating func mergeByHeap(_ table: MergeTable) {
        let count = symbols.count
        previous = (0..<Int32(count)).map { $0 - 1 }
        next = (1...Int32(count)).map { $0 }
        pairs = [UInt64](repeating: MergeTable.noMerge, count: count)
        heap.removeAll(keepingCapacity: true)
        for index in 0..<count - 1 { consider(index, table) }
        while let top = popHeap() {
            let place = Int(top & 0xFFFF_FFFF)
            // A pair that has changed since it was pushed has another rank, or none.
            guard pairs[place] != MergeTable.noMerge, pairs[place] >> 32 == top >> 32 else { continue }
            let right = Int(next[place])
            symbols[place] = Int32(truncatingIfNeeded: pairs[place])
            symbols[right] = -1
            pairs[right] = MergeTable.noMerge
            next[place] = next[right]
            if Int(next[right]) < count { previous[Int(next[right])] = Int32(place) }
            if previous[place] >= 0 { consider(Int(previous[place]), table) }
            consider(place, table)
        }
        symbols.removeAll { $0 < 0 }
    }

    /// Looks up the pair that starts here and pushes it if it merges.
    private mutating func consider(_ place: Int, _ table: MergeTable) {
        let right = Int(next[place])
        pairs[place] = right < symbols.count ? table.merge(symbols[place], symbols[right]) : MergeTable.noMerge
        if pairs[place] != MergeTable.noMerge { pushHeap((pairs[place] & ~0xFFFF_FFFF) | UInt64(place)) }
    }

    private mutating func pushHeap(_ entry: UInt64) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= entry { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    private mutating func popHeap() -> UInt64? {
        guard let top = heap.first else { return nil }
        let entry = heap.removeLast()
        if heap.isEmpty { return top }
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= entry { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = entry
        return top
    }
}
