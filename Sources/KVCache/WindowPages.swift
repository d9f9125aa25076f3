/// Which pages have rows in the stores of the layers with a window, which keep fewer positions than the others.
///
/// The slots of such a store are a pool of their own. A page of the big pool has a page there while somebody may still look at it
/// through the window:
///
///     positions          0 .......... computed - window ......... computed
///     slots              [ 7 | 3 | 8 | 1 | 9 | 4 | 5 ]
///     their window slots [ - | - | - | - | 2 | 6 | 1 ]
package struct WindowPages: ~Copyable {
    /// Slots that can be handed out: those of all whole pages.
    package let total: Int
    private let pageSize: Int
    /// First slots of the free pages.
    private var free: [Int32]
    /// By page of the big pool: the first slot of its page here; 0 where it has none.
    private var places: [Int32]
    /// Pages of the big pool that have another place than when somebody last took this list; nil: nobody wants it.
    private var changed: [Int32]?

    /// Pages whose slots are all free, for a big pool of `slots`.
    package init(total: Int, for slots: Int, pageSize: Int) {
        let pages = total / pageSize
        self.total = pages * pageSize
        self.pageSize = pageSize
        free = (0..<pages).map { Int32((pages - $0) * pageSize) }
        places = [Int32](repeating: 0, count: slots / pageSize + 1)
    }

    /// Slots in free pages.
    package var available: Int { free.count * pageSize }

    /// The slot that stands for one of the big pool; nil where its page has none.
    package func slot(of slot: Int32) -> Int32? {
        let first = places[Int(slot) / pageSize]
        return first == 0 ? nil : first + slot % Int32(pageSize)
    }

    /// Gives pages to those that begin in `slots`; there must be enough.
    package mutating func take(_ slots: ArraySlice<Int32>) {
        for slot in slots where Int(slot) % pageSize == 0 {
            precondition(places[Int(slot) / pageSize] == 0, "a page was given a second one for its window")
            place(Int(slot) / pageSize, free.removeLast())
        }
    }

    /// Takes the pages that those that begin in `slots` may have.
    package mutating func give(_ slots: ArraySlice<Int32>) {
        for slot in slots where Int(slot) % pageSize == 0 {
            let first = places[Int(slot) / pageSize]
            guard first != 0 else { continue }
            place(Int(slot) / pageSize, 0)
            free.append(first)
        }
    }

    /// Pages with the same keys and values take the place of each other: those of `heirs` get what those of `slots` have, where they
    /// have none themselves.
    package mutating func hand(_ slots: ArraySlice<Int32>, to heirs: [Int32]) {
        for (slot, heir) in zip(slots, heirs) where Int(slot) % pageSize == 0 {
            let (old, new) = (Int(slot) / pageSize, Int(heir) / pageSize)
            guard places[new] == 0 else { continue }
            place(new, places[old])
            place(old, 0)
        }
    }

    private mutating func place(_ page: Int, _ first: Int32) {
        places[page] = first
        changed?.append(Int32(page))
    }

    /// From here on lists what changes.
    package mutating func listChanges() { changed = [] }

    /// Pages whose place has changed, with the place that each has now; and an empty list from here on.
    package mutating func takeChanges() -> [(page: Int32, place: Int32)] {
        guard let pages = changed, !pages.isEmpty else { return [] }
        changed = []
        return pages.map { ($0, places[Int($0)]) }
    }

    /// Gives the pages that begin in `slots` the places that they had for another process, as far as that is possible; none may have
    /// one yet.
    package mutating func restore(_ kept: [Int32], for slots: some Sequence<Int32>) {
        var isTaken = [Bool](repeating: false, count: total / pageSize + 1)
        for slot in slots where Int(slot) % pageSize == 0 {
            let page = Int(slot) / pageSize
            guard page < kept.count, page < places.count, kept[page] >= pageSize, Int(kept[page]) % pageSize == 0,
                Int(kept[page]) / pageSize < isTaken.count, !isTaken[Int(kept[page]) / pageSize]
            else { continue }
            isTaken[Int(kept[page]) / pageSize] = true
            place(page, kept[page])
        }
        free.removeAll { isTaken[Int($0) / pageSize] }
    }

    /// How many of the leading `slots` can be gone on from: those of the window before the next position are all there. Whole pages.
    package func usable(_ slots: [Int32], window: Int) -> Int {
        var end = slots.count
        var index = end - 1
        while index >= 0, end - index < window {
            if slot(of: slots[index]) == nil { end = index / pageSize * pageSize }
            index = min(index, end) - 1
        }
        return end
    }

    /// What is wrong with the books: a slot of the big pool that nobody has keeps a page, or one page stands twice. For checks.
    package func error(freeSlots: [Int32]) -> String? {
        for slot in freeSlots where self.slot(of: slot) != nil { return "slot \(slot) is free and has a window slot" }
        let all = (free + places.filter { $0 != 0 }).sorted()
        let expected = (0..<total / pageSize).map { Int32(($0 + 1) * pageSize) }
        return all == expected
            ? nil : "the window's pages are \(all.count) of \(expected.count), or some are there twice"
    }
}
