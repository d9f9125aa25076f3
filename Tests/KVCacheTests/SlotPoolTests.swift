import KVCache
import Testing

@Suite struct SlotPoolTests {
    @Test func handsOutEverySlotOnceAndNeverSlotZero() {
        var pool = SlotPool(total: 5)
        var slots: [Int32] = []
        let all = pool.take(5, into: &slots)
        #expect(all && slots == [1, 2, 3, 4, 5])
        let more = pool.take(1, into: &slots)
        pool.give([3])
        let available = pool.available
        #expect(!more && available == 1)
    }

    @Test func takesNothingWhenThereAreTooFew() {
        var pool = SlotPool(total: 2)
        var slots: [Int32] = []
        let taken = pool.take(3, into: &slots)
        let available = pool.available
        #expect(!taken && slots.isEmpty && available == 2)
    }

    @Test func fillsAPageBeforeItTakesAnother() {
        var pool = SlotPool(total: 14, pageSize: 4)
        var (first, second): ([Int32], [Int32]) = ([], [])
        _ = pool.take(3, into: &first)
        _ = pool.take(1, into: &second)
        _ = pool.take(2, into: &first)
        #expect((first, second) == ([4, 5, 6, 7, 12], [8]))
        let none = pool.take(4, into: &second)
        let rest = pool.take(3, into: &second)
        let (total, available) = (pool.total, pool.available)
        #expect(!none && rest && second == [8, 9, 10, 11])
        #expect((total, available) == (12, 0))
        pool.give(first[...])
        let free = Set(pool.freeSlots)
        #expect(free == Set(4...7).union(12...15))
    }
}
