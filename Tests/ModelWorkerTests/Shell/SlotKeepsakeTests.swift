import KVCache
import ModelWorker
import Scheduling
import TestSupport
import Testing
import Values

/// What rank 0 writes down of the prefix cache.
@Suite struct SlotKeepsakeTests {
    private static func limits(slots: Int = 100, window: Int? = nil) -> SchedulerLimits {
        var limits = SchedulerLimits(
            slots: slots, contextLength: 90, maxRunning: 4, chunkTokens: 16, logitRows: 20)
        limits.keepsBook = true
        limits.window = window.map { WindowLimits(positions: $0, slots: 40) }
        return limits
    }

    /// Runs one prompt through a scheduler, and writes down what comes of it.
    private static func compute(_ prompt: [Int32], _ keepsake: SlotKeepsake, _ limits: SchedulerLimits) {
        var scheduler = Scheduler(limits: limits)
        _ = scheduler.restore(keepsake.read())
        let request = ScheduledRequest(id: 1, prompt: prompt, maxNewTokens: 2, namespace: "ключ")
        let admission = scheduler.admit(request)
        #expect(admission == .queued)
        while let batch = scheduler.nextBatch() {
            keepsake.write(scheduler.takeSlotChanges())
            for entry in batch.entries {
                scheduler.commit(entry, tokens: entry.yieldsToken ? [7] : [], finished: entry.yieldsToken)
            }
            keepsake.write(scheduler.takeSlotChanges(atEndOfStep: true, settled: true))
        }
    }

    @Test(arguments: [nil, 8]) func theNextProcessReadsWhatTheLastOneWrote(window: Int?) throws {
        let limits = Self.limits(window: window)
        let prompt = (0..<50).map { Int32($0 * 70_000 - 9) }
        try withUnnamedFile { memory in
            #expect(SlotKeepsake.slots(descriptor: memory) == nil)
            let first = try #require(SlotKeepsake(descriptor: memory, limits))
            Self.compute(prompt, first, limits)
            #expect(SlotKeepsake.slots(descriptor: memory) == 100)
            let second = try #require(SlotKeepsake(descriptor: memory, limits))
            let image = second.read()
            let kept = KeptTexts(image, pageSize: 1).stretches
            #expect(kept.map(\.tokens) == [prompt])
            #expect(kept.map(\.namespace) == ["ключ"])
            #expect(image.windowPlaces.isEmpty == (window == nil))
            if window != nil { #expect(image.windowPlaces.count { $0 != 0 } >= 8) }
            second.empty()
            #expect(KeptTexts(first.read(), pageSize: 1).stretches.isEmpty)
        }
    }

    @Test func aPoolOfAnotherSizeBeginsAnew() throws {
        try withUnnamedFile { memory in
            let limits = Self.limits()
            Self.compute([1, 2, 3], try #require(SlotKeepsake(descriptor: memory, limits)), limits)
            let other = try #require(SlotKeepsake(descriptor: memory, Self.limits(slots: 60)))
            #expect(KeptTexts(other.read(), pageSize: 1).stretches.isEmpty)
            #expect(SlotKeepsake.slots(descriptor: memory) == 60)
            let window = try #require(SlotKeepsake(descriptor: memory, Self.limits(slots: 60, window: 8)))
            #expect(KeptTexts(window.read(), pageSize: 1).stretches.isEmpty)
        }
        #expect(SlotKeepsake.slots(descriptor: -1) == nil)
        #expect(SlotKeepsake(descriptor: -1, Self.limits()) == nil)
    }
}
