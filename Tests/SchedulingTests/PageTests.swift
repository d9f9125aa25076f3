import Scheduling
import Testing

@Suite struct PageTests {
    private static func limits(_ slots: Int = 256) -> SchedulerLimits {
        SchedulerLimits(slots: slots, pageSize: 16, contextLength: 200, maxRunning: 4, chunkTokens: 64, logitRows: 64)
    }

    @Test func positionsKeepTheirPlaceWithinAPage() throws {
        var run = Run(Self.limits())
        run.admit(1, Array(0..<40), 5)
        for _ in 0..<3 { _ = run.step() }
        let request = run.scheduler.request(1)
        let slots = try #require(request?.slots)
        #expect(slots.count == 42)
        for (position, slot) in slots.enumerated() { #expect(Int(slot) % 16 == position % 16 && slot >= 16) }
    }

    @Test func onlyWholePagesAreCachedAndMatched() throws {
        var run = Run(Self.limits())
        run.admit(1, Array(0..<40), 1)
        _ = run.finish()
        let cached = run.scheduler.counts.cached
        #expect(cached == 32)
        run.admit(2, Array(0..<32), 1)
        let shorter = try #require(run.step()?.batch.entries.first)
        #expect(shorter.start == 16)
        run.admit(3, Array(0..<33), 1)
        let longer = try #require(run.step()?.batch.entries.first)
        #expect(longer.start == 32)
    }

    @Test func prefixesThatPartWithinAPageShareThePagesBefore() throws {
        var run = Run(Self.limits())
        run.admit(1, Array(0..<64), 1)
        _ = run.finish()
        run.admit(2, Array(0..<40) + Array(500..<540), 1)
        let entry = try #require(run.step()?.batch.entries.first)
        #expect(entry.start == 32)
    }

    @Test func slotsThatFillNoPageAreLeftOut() {
        let limits = Self.limits(100)
        let run = Run(limits)
        let total = run.scheduler.counts.total
        #expect((total, limits.usableSlots, limits.storeRows, limits.maxRequestLength) == (96, 96, 112, 95))
    }
}
