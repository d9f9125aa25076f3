import Scheduling
import Testing

@Suite struct StepTermsTests {
    private static let limits = SchedulerLimits(
        slots: 2000, contextLength: 512, maxRunning: 16, chunkTokens: 64, logitRows: 64)

    private func held() -> StepTerms {
        var terms = StepTerms()
        terms.holdsLastTokens = true
        return terms
    }

    /// A prompt that shares nothing with another one's.
    private func prompt(_ id: Int, _ count: Int) -> [Int32] { (0..<count).map { Int32(1000 * id + $0) } }

    @Test func promptsThatCameTogetherGetTheirFirstTokensTogether() throws {
        var run = Run(Self.limits)
        for id in 1...5 { run.admit(UInt64(id), prompt(id, 40), 3) }
        var yields: [[UInt64]] = []
        for _ in 0..<4 {
            let batch = try #require(run.step(held())?.batch)
            #expect(
                batch.prefillTokens == min(64, batch.rowCount)
                    && Set(batch.entries.map(\.id)).count == batch.entries.count)
            yields.append(batch.entries.filter(\.yieldsToken).map(\.id).sorted())
        }
        #expect(yields == [[], [], [], [1, 2, 3, 4, 5]])
        let outputs = run.finish()
        for id in 1...5 { #expect(outputs[UInt64(id)] == ScriptedEngine.output(of: prompt(id, 40), count: 3)) }
    }

    @Test func aLonePromptIsNotHeld() throws {
        for count in [1, 2, 40, 64] {
            var run = Run(Self.limits)
            run.admit(1, prompt(1, count), 3)
            let batch = try #require(run.step(held())?.batch)
            // One that fills the step to its last place cannot know that nothing comes behind it.
            #expect(batch.entries.map(\.yieldsToken) == [true] && batch.entries[0].count == count)
        }
    }

    @Test func whoComesBackToACachedPromptDecodesAtOnce() throws {
        var run = Run(Self.limits)
        run.admit(1, prompt(1, 40), 5)
        for _ in 0..<3 { _ = run.step() }
        run.scheduler.retractAll()
        let batch = try #require(run.step(held())?.batch)
        #expect(batch.entries.map(\.count) == [1] && batch.entries[0].yieldsToken)
        let outputs = run.finish()
        #expect(outputs[1] == ScriptedEngine.output(of: prompt(1, 40), count: 5))
    }

    @Test func heldPromptsAreComputedAsSoonAsTheTermsSaySo() throws {
        var run = Run(Self.limits)
        for id in 1...4 { run.admit(UInt64(id), prompt(id, 60), 3) }
        for _ in 0..<2 { _ = run.step(held()) }
        let batch = try #require(run.step()?.batch)
        #expect(batch.entries.filter(\.yieldsToken).map(\.id) == [1, 2, 3])
    }

    @Test func promptsBesideStreamsAreCutToTheTermsInWholePages() throws {
        for (pageSize, most, expected) in [(1, 20, 20), (16, 40, 32), (16, 3, 16)] {
            var limits = Self.limits
            limits.pageSize = pageSize
            var run = Run(limits)
            var terms = StepTerms()
            terms.promptTokensBesideDecoding = most
            run.admit(1, prompt(1, 50), 9)
            // Nobody streams yet.
            let first = try #require(run.step(terms)?.batch)
            #expect(first.prefillTokens == 50)
            run.admit(2, prompt(2, 200), 3)
            let second = try #require(run.step(terms)?.batch)
            #expect(second.prefillTokens == expected && second.entries[0].id == 1)
        }
    }
}
