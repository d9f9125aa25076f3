import KVCache
import Testing

/// Pages of the layers with a window.
@Suite struct WindowPagesTests {
    @Test func aSlotStandsForOneOfItsPage() {
        var pages = WindowPages(total: 12, for: 40, pageSize: 4)
        pages.take([8, 9, 10, 11, 20, 21])
        #expect(pages.available == 4)
        #expect([8, 9, 11, 20, 22].map { pages.slot(of: $0) } == [4, 5, 7, 8, 10] && pages.slot(of: 12) == nil)
        pages.give([8, 9, 10, 11])
        #expect(pages.slot(of: 9) == nil && pages.available == 8 && pages.error(freeSlots: [8, 9]) == nil)
        #expect(pages.error(freeSlots: [20]) == "slot 20 is free and has a window slot")
    }

    @Test func aPageIsHandedToTheOneThatTakesItsPlace() {
        var pages = WindowPages(total: 8, for: 40, pageSize: 1)
        pages.take([1, 2, 3])
        pages.hand([1, 2], to: [7, 3])
        #expect([1, 2, 3, 7].map { pages.slot(of: $0) } == [nil, 2, 3, 1] && pages.error(freeSlots: [1]) == nil)
    }

    @Test(arguments: [
        ([], 4, 0), ([0], 4, 0), ([1], 4, 1), ([1, 1, 1, 1, 1], 4, 5), ([0, 0, 1, 1, 1], 4, 5),
        ([0, 0, 0, 1, 1], 4, 0),
        ([1, 1, 1, 0, 1], 4, 3), ([0, 1, 1, 1, 0, 1, 1], 4, 4), ([0, 0, 0], 1, 3),
    ]) func whatCanBeGoneOnFromHasItsWindow(has: [Int], window: Int, usable: Int) {
        var pages = WindowPages(total: 20, for: 40, pageSize: 1)
        let slots = has.indices.map { Int32($0 + 10) }
        for (slot, has) in zip(slots, has) where has == 1 { pages.take([slot]) }
        #expect(pages.usable(slots, window: window) == usable)
    }
}
