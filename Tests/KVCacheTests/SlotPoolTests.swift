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
}
