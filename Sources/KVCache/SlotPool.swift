/// The free KV slots: which rows of the key and value stores nobody holds.
///
/// Slots come in pages: page `p` is the slots `p * pageSize ..< (p + 1) * pageSize`. Page 0 is never handed out; slot 0 is where
/// padding may write. A store for this pool has `total + pageSize` rows.
///
///     positions   0 ............ pageSize ........ 2 * pageSize ..... count
///     slots      [ a whole page | another one ... | the last page, partly used ]
package struct SlotPool: ~Copyable {
    /// Slots in a page.
    package let pageSize: Int
    /// How many slots can be handed out: those of all whole pages.
    package let total: Int
    /// First slots of the free pages.
    private var free: [Int32]

    /// A pool whose pages are all free; slots that fill no page are left out.
    package init(total: Int, pageSize: Int = 1) {
        precondition(pageSize > 0, "a page holds at least one slot")
        self.pageSize = pageSize
        let pages = total / pageSize
        self.total = pages * pageSize
        // Taken from the end, so the first requests get ascending runs.
        free = (0..<pages).map { Int32((pages - $0) * pageSize) }
    }

    /// Slots in free pages.
    package var available: Int { free.count * pageSize }

    /// Slots in the pages that `count` positions touch.
    package func pageSpan(_ count: Int) -> Int { (count + pageSize - 1) / pageSize * pageSize }

    /// Positions that fill whole pages only, out of `count`.
    package func wholePages(_ count: Int) -> Int { count / pageSize * pageSize }

    /// Appends the slots of `count` more positions: the rest of the last page first, then new pages; false and nothing taken when
    /// there are not enough.
    package mutating func take(_ count: Int, into slots: inout [Int32]) -> Bool {
        guard pageSpan(slots.count + count) - pageSpan(slots.count) <= available else { return false }
        for _ in 0..<count {
            slots.append(slots.count % pageSize == 0 ? free.removeLast() : slots[slots.count - 1] + 1)
        }
        return true
    }

    /// Gives pages back: `slots` starts with the first slot of a page, and only its last page may be there in part.
    ///
    /// Each page must have been taken and not been given back since.
    package mutating func give(_ slots: ArraySlice<Int32>) {
        for index in stride(from: slots.startIndex, to: slots.endIndex, by: pageSize) {
            precondition(Int(slots[index]) % pageSize == 0, "a KV page was given back from its middle")
            free.append(slots[index])
        }
        precondition(available <= total, "a KV page was given back twice")
    }

    /// Takes the pages that begin in `slots` out of a pool that is whole.
    package mutating func claim(_ slots: some Sequence<Int32>) {
        var isTaken = [Bool](repeating: false, count: total / pageSize + 1)
        for slot in slots where Int(slot) % pageSize == 0 { isTaken[Int(slot) / pageSize] = true }
        free.removeAll { isTaken[Int($0) / pageSize] }
    }

    /// Every free slot; for checks of ownership.
    package var freeSlots: [Int32] { free.flatMap { first in (0..<Int32(pageSize)).map { first + $0 } } }
}
