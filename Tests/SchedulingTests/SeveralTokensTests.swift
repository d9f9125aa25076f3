import Scheduling
import Testing

/// Commits of more than one token, as speculation and forced text make them.
@Suite struct SeveralTokensTests {
    private static let roomy = SchedulerLimits(
        slots: 1000, contextLength: 512, maxRunning: 16, chunkTokens: 64, logitRows: 64)

    @Test(arguments: [2, 3, 7, 40]) func tokensThatComeTogetherAreTheOnesThatComeOneByOne(several: Int) {
        for pageSize in [1, 16] {
            var limits = Self.roomy
            limits.pageSize = pageSize
            var run = Run(limits)
            let prompts: [UInt64: [Int32]] = [1: [4, 5, 6], 2: Array(0..<50)]
            for (id, prompt) in prompts { run.admit(id, prompt, 33) }
            var outputs: [UInt64: [Int32]] = [:]
            while let (_, ended) = run.step(several: several) {
                outputs.merge(ended) { $1 }
                let problem = run.scheduler.slotError()
                #expect(problem == nil)
            }
            for (id, prompt) in prompts { #expect(outputs[id] == ScriptedEngine.output(of: prompt, count: 33)) }
            let isEmpty = run.scheduler.flushCache()
            let counts = run.scheduler.counts
            #expect(isEmpty && counts.free == counts.total)
        }
    }

    @Test func whatWasCommittedTogetherIsComputedInOneStepAsDecoding() throws {
        var run = Run(Self.roomy)
        run.admit(1, [1, 2, 3], 30)
        _ = run.step(several: 5)
        run.admit(2, Array(0..<200), 5)
        let batch = try #require(run.step()?.batch)
        let entry = batch.entries[0]
        #expect((entry.id, entry.start, entry.count, entry.logitsFrom) == (1, 3, 5, 7) && entry.yieldsToken)
        // It takes from the prompts' share and is no prompt itself.
        #expect(batch.entries[1].count == 60 && batch.prefillTokens == 60 && batch.rowCount == 65)
    }

    @Test func aStepHoldsNoMoreRowsThanItsLimits() throws {
        var limits = Self.roomy
        limits.chunkTokens = 4
        limits.maxRunning = 3
        var run = Run(limits)
        for id: UInt64 in 1...3 { run.admit(id, [Int32(id)], 40) }
        _ = run.step(several: 9)
        var outputs: [UInt64: [Int32]] = [:]
        while let (batch, ended) = run.step(several: 9) {
            #expect(batch.rowCount <= 7)
            outputs.merge(ended) { $1 }
        }
        for id: UInt64 in 1...3 { #expect(outputs[id] == ScriptedEngine.output(of: [Int32(id)], count: 40)) }
    }

    @Test func aFullPoolMakesRoomForAllTokensOfACommit() {
        var limits = Self.roomy
        limits.slots = 60
        limits.conservativeness = 0.01
        var run = Run(limits)
        for id: UInt64 in 1...4 { run.admit(id, [Int32(id), 9], 40) }
        var outputs: [UInt64: [Int32]] = [:]
        while let (_, ended) = run.step(several: 6) {
            let problem = run.scheduler.slotError()
            #expect(problem == nil)
            outputs.merge(ended) { $1 }
        }
        let retractions = run.scheduler.tally.retractions
        #expect(retractions > 0)
        for id: UInt64 in 1...4 { #expect(outputs[id] == ScriptedEngine.output(of: [Int32(id), 9], count: 40)) }
    }

    @Test func whoRestsKeepsWhatItHasAndGoesOnLater() throws {
        var run = Run(Self.roomy)
        for id: UInt64 in 1...2 { run.admit(id, [Int32(id)], 6) }
        _ = run.step()
        var terms = StepTerms()
        terms.resting = [1]
        for _ in 0..<3 {
            let batch = try #require(run.step(terms)?.batch)
            #expect(batch.entries.map(\.id) == [2] && batch.retracted.isEmpty)
        }
        let outputs = run.finish()
        for id: UInt64 in 1...2 { #expect(outputs[id] == ScriptedEngine.output(of: [Int32(id)], count: 6)) }
    }
}
