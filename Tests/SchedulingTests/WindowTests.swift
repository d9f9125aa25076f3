import Scheduling
import Testing

/// Slots of layers that see the last positions only.
@Suite struct WindowTests {
    /// A pool of 200 slots with a window of 10 positions that has 30 slots.
    private static func limits(pageSize: Int = 1, slots: Int = 30) -> SchedulerLimits {
        var limits = SchedulerLimits(
            slots: 200, pageSize: pageSize, contextLength: 150, maxRunning: 8, chunkTokens: 8, logitRows: 16)
        limits.window = WindowLimits(positions: 10, slots: slots)
        return limits
    }

    private func output(_ prompt: [Int32], _ count: Int) -> [Int32] {
        ScriptedEngine.output(of: prompt, count: count, window: 10)
    }

    @Test func slotsBehindTheWindowAreGivenBack() throws {
        var run = Run(Self.limits())
        run.admit(1, [5], 100)
        var most = 0
        while let (_, ended) = run.step() {
            most = max(most, run.scheduler.windowCounts.held)
            #expect(run.scheduler.slotError() == nil)
            for (_, tokens) in ended { #expect(tokens == output([5], 100)) }
        }
        #expect((10...12).contains(most))
        #expect(run.scheduler.windowCounts == WindowCounts(total: 30, held: 0, cached: 12))
    }

    @Test func aPromptLongerThanThePoolOfItsWindowIsComputed() {
        var run = Run(Self.limits())
        let prompt = (0..<120).map { Int32($0 % 11) }
        run.admit(1, prompt, 20)
        #expect(run.finish() == [1: output(prompt, 20)])
    }

    @Test func whatNoWindowCoversMakesRoomForOthers() {
        var run = Run(Self.limits())
        for id in UInt64(1)...6 { run.admit(id, [Int32](repeating: Int32(id), count: 20), 30) }
        let outputs = run.finish()
        #expect(outputs.count == 6)
        for (id, tokens) in outputs { #expect(tokens == output([Int32](repeating: Int32(id), count: 20), 30)) }
        #expect(run.scheduler.slotError() == nil)
    }

    @Test func aConversationGoesOnFromItsEnd() throws {
        var run = Run(Self.limits(pageSize: 4, slots: 60))
        let prompt = (0..<30).map { Int32($0) }
        run.admit(1, prompt, 20)
        let said = try #require(run.finish()[1])
        run.admit(2, prompt + said + [7, 8], 5)
        _ = run.step()
        // All whole pages of the 49 that were computed.
        #expect(run.scheduler.request(2)?.cachedTokens == 48)
        #expect(run.finish() == [2: output(prompt + said + [7, 8], 5)])
    }

    @Test func aPrefixWhoseWindowIsGoneIsComputedAgain() {
        var run = Run(Self.limits())
        let prompt = (0..<60).map { Int32($0 % 13) }
        run.admit(1, prompt, 40)
        _ = run.finish()
        // Another one takes the slots of its window at the end of the prompt; that of its end is used later, and is still there.
        run.admit(2, [Int32](repeating: 3, count: 22), 2)
        _ = run.finish()
        run.admit(3, prompt + [1], 4)
        _ = run.step()
        #expect(run.scheduler.request(3)?.cachedTokens == 0)
        #expect(run.finish() == [3: output(prompt + [1], 4)])
    }

    @Test func aLoneRequestAlwaysFindsRoom() {
        for pageSize in [1, 4, 16] {
            var limits = SchedulerLimits(
                slots: 192, pageSize: pageSize, contextLength: 150, maxRunning: 4, chunkTokens: 32, logitRows: 36)
            limits.window = WindowLimits(positions: 10, beside: limits, ratio: 0)
            #expect(limits.window?.slots == 42 + 4 * pageSize)
            var run = Run(limits)
            let prompt = (0..<100).map { Int32($0 % 17) }
            run.admit(1, prompt, 40)
            #expect(run.finish() == [1: output(prompt, 40)])
        }
    }
}
