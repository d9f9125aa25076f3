import APICore
import Testing

/// Whether a client reads, from looks at its connection.
@Suite struct ReadingWatchTests {
    /// A look at a kernel that holds `unread` bytes of `acknowledged` in a buffer of 64 KiB.
    private func delivery(_ acknowledged: UInt64, unread: UInt32, queued: UInt32 = 0) -> Delivery {
        Delivery(acknowledged: acknowledged, window: 65536 - unread, queued: queued)
    }

    @Test func aWindowThatStandsStillWhileBytesWaitIsNoReader() {
        var watch = ReadingWatch(now: 0)
        watch.look(delivery(0, unread: 0), now: 0)
        for step in 1...10 { watch.look(delivery(UInt64(step) * 400, unread: UInt32(step) * 400), now: Double(step)) }
        #expect(watch.isStalled(now: 10))
    }

    @Test func lessThanAFrameOrAMomentIsNothing() {
        var few = ReadingWatch(now: 0)
        few.look(delivery(0, unread: 0), now: 0)
        few.look(delivery(1000, unread: 1000), now: 1)
        #expect(!few.isStalled(now: 100))
        var short = ReadingWatch(now: 0)
        short.look(delivery(0, unread: 0), now: 0)
        short.look(delivery(4000, unread: 4000), now: 1)
        #expect(!short.isStalled(now: 2) && short.isStalled(now: 2.1))
    }

    @Test func aReaderMakesRoomForWhatItGets() {
        var watch = ReadingWatch(now: 0)
        for step in 0..<40 { watch.look(delivery(UInt64(step) * 4000, unread: 2000), now: Double(step)) }
        #expect(!watch.isStalled(now: 40))
    }

    @Test func aKernelThatOnlyOffersALittleMoreIsNoReader() {
        var watch = ReadingWatch(now: 0)
        watch.look(delivery(0, unread: 0), now: 0)
        for step in 1...10 {
            // The end of the window moves by a tenth of what was sent.
            watch.look(delivery(UInt64(step) * 4000, unread: UInt32(step) * 3600), now: Double(step))
        }
        #expect(watch.isStalled(now: 10))
    }

    @Test func whatIsStillHereWaitsToo() {
        var watch = ReadingWatch(now: 0)
        watch.look(delivery(0, unread: 0), now: 0)
        watch.look(delivery(0, unread: 0, queued: 5000), now: 1)
        #expect(watch.isStalled(now: 2.5))
    }

    @Test func aConnectionThatTellsNothingIsNeverStalled() {
        var watch = ReadingWatch(now: 0)
        for step in 0..<100 { watch.look(nil, now: Double(step)) }
        #expect(!watch.isStalled(now: 100))
    }

    @Test func smallGainsCountWhileNothingIsSent() {
        var watch = ReadingWatch(now: 0)
        watch.look(delivery(40000, unread: 40000), now: 0)
        let before = watch.hasRead(delivery(40000, unread: 40000), now: 5)
        let after = watch.hasRead(delivery(40000, unread: 39999), now: 6)
        #expect(!before && after)
    }

    @Test func looksComeFourTimesASecondAndPausesGrow() {
        var watch = ReadingWatch(now: 0)
        #expect(watch.wantsLook(now: 1))
        watch.look(nil, now: 1)
        #expect(!watch.wantsLook(now: 1.2) && watch.wantsLook(now: 1.25))
        let ends = (0..<3).map { _ in watch.pause(now: 10) }
        #expect(ends == [70, 130, 250])
    }
}
