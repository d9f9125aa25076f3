import Scheduling
import Testing

@Suite struct SchedulerTests {
    private static let roomy = SchedulerLimits(
        slots: 1000, contextLength: 512, maxRunning: 16, chunkTokens: 64, logitRows: 64)

    @Test func aLongPromptIsComputedInChunksWhileOthersDecode() throws {
        var run = Run(Self.roomy)
        run.admit(1, [1, 2, 3], 50)
        _ = run.step()
        run.admit(2, Array(0..<150), 5)
        var sizes: [Int] = []
        for _ in 0..<3 {
            let batch = try #require(run.step()?.batch)
            #expect(batch.entries[0].id == 1 && batch.entries[0].count == 1 && batch.entries[0].yieldsToken)
            sizes.append(batch.entries[1].count)
        }
        #expect(sizes == [64, 64, 22])
    }

    @Test func aSecondRequestTakesTheSharedPrefixFromTheCache() throws {
        var run = Run(Self.roomy)
        run.admit(1, Array(0..<100), 2)
        _ = run.finish()
        run.admit(2, Array(0..<90) + [777], 2)
        let batch = try #require(run.step()?.batch)
        #expect(batch.entries.map(\.start) == [90])
        let request = run.scheduler.request(2)
        #expect(request?.cachedTokens == 90)
    }

    @Test func aPrefixIsComputedOnceForRequestsThatArriveTogether() {
        var run = Run(Self.roomy)
        let shared = (0..<128).map { Int32($0) }
        for id in 1...8 { run.admit(UInt64(id), shared + [Int32(500 + id)], 1) }
        var rows = 0
        while let (batch, _) = run.step() { rows += batch.rowCount }
        #expect(rows == 128 + 8)
    }

    @Test func scoredPromptsAreComputedFromTheirFirstScoredPosition() throws {
        var run = Run(Self.roomy)
        run.admit(1, Array(0..<40), 1)
        _ = run.finish()
        _ = run.scheduler.admit(ScheduledRequest(id: 2, prompt: Array(0..<40), maxNewTokens: 1, scoredFrom: 10))
        let entry = try #require(run.step()?.batch.entries.first)
        #expect((entry.start, entry.logitsFrom, entry.count) == (10, 10, 30))
    }

    @Test func longScoredPromptsKeepToTheLogitBudget() {
        var limits = Self.roomy
        limits.logitRows = 16
        var run = Run(limits)
        _ = run.scheduler.admit(ScheduledRequest(id: 1, prompt: Array(0..<100), maxNewTokens: 1, scoredFrom: 30))
        var sizes: [Int] = []
        while let (batch, _) = run.step() {
            sizes.append(batch.entries[0].count)
            #expect(batch.entries[0].logitRows <= 16)
        }
        #expect(sizes.reduce(0, +) == 100)
    }

    @Test func promptsThatCanNeverFitAreRefused() {
        var scheduler = Scheduler(limits: Self.roomy)
        let tooLong = scheduler.admit(ScheduledRequest(id: 1, prompt: Array(repeating: 1, count: 507), maxNewTokens: 1))
        let longest = scheduler.admit(ScheduledRequest(id: 2, prompt: Array(repeating: 1, count: 506), maxNewTokens: 1))
        #expect((tooLong, longest) == (.tooLong(limit: 506), .queued))
    }

    @Test func aFullQueueRefusesButRetractedRequestsStay() {
        var limits = Self.roomy
        limits.maxQueued = 1
        var run = Run(limits)
        let first = run.admit(1, [1], 4)
        let second = run.admit(2, [1], 4)
        _ = run.step()
        let third = run.admit(3, [1], 4)
        #expect([first, second, third] == [.queued, .queueFull, .queued])
        run.scheduler.retractAll()
        let waiting = run.scheduler.counts.waiting
        #expect(waiting == 2)
    }

    @Test func promptsComeInSmallerPiecesWhileRequestsDecode() {
        var run = Run(Self.roomy)
        run.admit(1, [1, 2, 3], 50)
        _ = run.step()
        run.admit(2, Array(0..<200), 4)
        var terms = StepTerms()
        terms.promptTokensBesideDecoding = 24
        let beside = run.scheduler.nextBatch(terms)
        #expect(beside?.entries.map(\.count) == [1, 24])
        var alone = Run(Self.roomy)
        alone.admit(1, Array(0..<60), 4)
        let whole = alone.scheduler.nextBatch(terms)
        #expect(whole?.entries.map(\.count) == [60])
    }

    @Test func aQueueOfTooManyTokensRefusesUnlessItIsEmpty() {
        var limits = Self.roomy
        limits.maxQueuedTokens = 10
        var run = Run(limits)
        let first = run.admit(1, Array(0..<30), 4)
        let second = run.admit(2, [1], 4)
        _ = run.step()
        let third = run.admit(3, Array(0..<6), 4)
        let fourth = run.admit(4, Array(0..<5), 4)
        let fifth = run.admit(5, Array(0..<4), 4)
        #expect([first, second, third, fourth, fifth] == [.queued, .queueFull, .queued, .queueFull, .queued])
    }

    @Test func aResumedRequestGoesOnAfterItsOutput() {
        var run = Run(Self.roomy)
        let output = ScriptedEngine.output(of: [5, 6, 7], count: 10)
        _ = run.scheduler.admit(
            ScheduledRequest(id: 1, prompt: [5, 6, 7], output: Array(output[..<4]), maxNewTokens: 10))
        let outputs = run.finish()
        #expect(outputs == [1: output])
    }

    @Test func flushingIsRefusedWhileRequestsRun() {
        var run = Run(Self.roomy)
        run.admit(1, Array(0..<50), 1)
        let early = run.scheduler.flushCache()
        _ = run.finish()
        let cached = run.scheduler.counts.cached
        let late = run.scheduler.flushCache()
        let free = run.scheduler.counts.free
        #expect((early, cached, late, free) == (false, 50, true, 1000))
    }

    @Test func aRequestThatWasAcceptedBeforeIsTakenByAFullQueue() {
        var limits = Self.roomy
        limits.maxQueued = 0
        var run = Run(limits)
        let newcomer = run.admit(1, [1], 4)
        let again = run.scheduler.admit(ScheduledRequest(id: 2, prompt: [1], maxNewTokens: 4, wasAccepted: true))
        #expect((newcomer, again) == (.queueFull, .queued))
    }

    @Test func everyStepOfAVeryLongPromptHoldsEveryDecodingRequest() throws {
        var run = Run(
            SchedulerLimits(slots: 40_000, contextLength: 32_768, maxRunning: 64, chunkTokens: 512, logitRows: 576))
        for id in 1...16 { run.admit(UInt64(id), [Int32(id)], 500) }
        _ = run.step()
        run.admit(17, (0..<30_000).map { Int32($0 % 1009) }, 3)
        var chunks = 0
        while let (batch, ended) = run.step(), ended.isEmpty {
            #expect(batch.entries.prefix(16).map(\.id) == Array(1...16))
            #expect(batch.entries.prefix(16).allSatisfy { $0.count == 1 && $0.yieldsToken })
            if batch.prefillTokens > 0 { chunks += 1 }
        }
        #expect(chunks == (30_000 + 511) / 512)
    }

    @Test func onlySoManyPromptsShareAStep() throws {
        var limits = Self.roomy
        limits.prefillRequests = 2
        var run = Run(limits)
        for id in 1...5 { run.admit(UInt64(id), [Int32(id)], 3) }
        var prompts: [Int] = []
        while let (batch, _) = run.step() { prompts.append(batch.entries.count { $0.start == 0 }) }
        #expect(prompts.prefix(3) == [2, 2, 1])
    }

    @Test func promptsThatMustNotBeCutWaitForAStepWithRoom() throws {
        var limits = Self.roomy
        (limits.chunkTokens, limits.cutsPrompts, limits.logitRows) = (512, false, 600)
        var run = Run(limits)
        for id in 1...3 { run.admit(UInt64(id), (0..<300).map { Int32($0 + id * 1000) }, 1) }
        var sizes: [[Int]] = []
        while let (batch, _) = run.step() { sizes.append(batch.entries.map(\.count)) }
        #expect(sizes == [[300], [300], [300]])
    }

    @Test func theLastRequestFitsWithTheWholePool() {
        var run = Run(SchedulerLimits(slots: 64, contextLength: 1000, maxRunning: 4, chunkTokens: 16, logitRows: 32))
        let prompts = (1...4).map { id in (0..<50).map { Int32($0 * id) } }
        for (index, prompt) in prompts.enumerated() { run.admit(UInt64(index + 1), prompt, 13) }
        let outputs = run.finish()
        #expect(outputs.count == 4)
        for (index, prompt) in prompts.enumerated() {
            #expect(outputs[UInt64(index + 1)] == ScriptedEngine.output(of: prompt, count: 13))
        }
    }
}
