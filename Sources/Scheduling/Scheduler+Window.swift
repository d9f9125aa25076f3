internal import KVCache

/// Slots of the layers with a window: what lies behind the windows of all running requests is given back, or kept as a part of the
/// prefix cache for as long as nobody needs the room.
extension Scheduler {
    /// Gives slots back, and what layers with a window have of them.
    mutating func giveBack(_ slots: ArraySlice<Int32>) {
        if limits.window != nil { windowPages.give(slots) }
        book.erase(slots)
        pool.give(slots)
    }

    /// The first position that a running request's next rows may look at through the window, down to its page and one page more:
    /// a request that goes on from whole pages of it begins a little earlier.
    private func firstSeen(_ row: Int, _ window: WindowLimits) -> Int {
        let first = table.rows[row].computed + 1 - window.positions - limits.pageSize
        return max(0, first) / limits.pageSize * limits.pageSize
    }

    /// Slots that the windows of running requests cover; what they share counts for each.
    private var windowHeld: Int {
        guard let window = limits.window else { return 0 }
        return running.reduce(0) {
            $0 + pool.pageSpan(table.rows[$1].slots.count) - min(table.rows[$1].slots.count, firstSeen($1, window))
        }
    }

    /// The window's slots at this moment.
    package var windowCounts: WindowCounts {
        let held = windowHeld
        return WindowCounts(
            total: windowPages.total, held: held, cached: max(0, windowPages.total - windowPages.available - held))
    }

    /// Slots of layers with a window that could be had without taking any from a running request's window; no limit where no layer
    /// has one.
    var windowObtainable: Int { limits.window == nil ? Int.max / 2 : max(0, windowPages.total - windowHeld) }

    /// A waiting request finds room for its window beside those of the running ones.
    func hasWindowRoom(for row: Int) -> Bool {
        guard let window = limits.window else { return true }
        return (running + [row]).reduce(0) { $0 + windowNeed($1, window) } <= windowPages.total
    }

    /// Most window slots that a request will hold at a time: all of a short one.
    private func windowNeed(_ row: Int, _ window: WindowLimits) -> Int {
        let request = table.rows[row]
        let whole = request.tokens.count + min(request.remaining, ReserveRatio.longestEstimate)
        let rows = min(limits.chunkTokens, max(1, request.uncomputed))
        return min(pool.pageSpan(whole), pool.pageSpan(window.positions + rows) + 2 * limits.pageSize) + limits.pageSize
    }

    /// Gives back the window slots of a request's own pages that no row of it will see again.
    mutating func leaveBehindWindow(_ row: Int) {
        guard let window = limits.window else { return }
        let end = firstSeen(row, window)
        let start = max(table.rows[row].treeOwned, table.rows[row].leftBehind)
        if start < end { windowPages.give(table.rows[row].slots[start..<end]) }
        table.rows[row].leftBehind = max(table.rows[row].leftBehind, end)
    }

    /// Sees to it that so many window slots are free: takes those of cached prefixes, the least recently used first, that no running
    /// request looks at. False when there are not enough.
    mutating func makeWindowRoom(_ needed: Int) -> Bool {
        guard let window = limits.window, needed > windowPages.available else { return true }
        var seen = [Bool](repeating: false, count: limits.storeRows / limits.pageSize)
        for row in running {
            for slot in table.rows[row].slots[min(table.rows[row].slots.count, firstSeen(row, window))...] {
                seen[Int(slot) / limits.pageSize] = true
            }
        }
        // A little more than needed, so that not every row of a full pool has to look for some.
        let wanted = max(needed, limits.slots / 64)
        for slots in tree.slotsByUse() {
            if windowPages.available >= wanted { break }
            for first in stride(from: slots.startIndex, to: slots.endIndex, by: limits.pageSize)
            where !seen[Int(slots[first]) / limits.pageSize] {
                windowPages.give(slots[first...first])
            }
        }
        return needed <= windowPages.available
    }

    /// The longest cached prefix that a waiting request can go on from: what its window covers is all there.
    mutating func prefix(of row: Int) -> RadixTree.Match? {
        let (tokens, namespace) = (table.rows[row].tokens, table.rows[row].namespace)
        let match = tree.match(tokens[..<table.rows[row].matchable], namespace: namespace)
        guard let match, let window = limits.window else { return match }
        let usable = windowPages.usable(match.slots, window: window.positions)
        if usable == match.slots.count { return match }
        return usable == 0 ? nil : tree.match(tokens[..<usable], namespace: namespace)
    }

    /// What stands for a request's slots in the layers with a window, one for each: 0, which nobody looks at, for those that are
    /// gone. There must be some.
    package func windowSlots(_ slots: ArraySlice<Int32>, into windowSlots: inout [Int32]) {
        for slot in slots { windowSlots.append(windowPages.slot(of: slot) ?? 0) }
    }

    /// What is wrong with the window's slots; for checks.
    func windowError() -> String? {
        guard let window = limits.window else { return nil }
        for row in running {
            let request = table.rows[row]
            let first = max(0, request.computed + 1 - window.positions)
            for position in min(first, request.slots.count)..<request.slots.count
            where windowPages.slot(of: request.slots[position]) == nil {
                return "request \(request.id) has no window slot for position \(position) of \(request.computed)"
            }
        }
        return windowPages.error(freeSlots: pool.freeSlots)
    }
}
