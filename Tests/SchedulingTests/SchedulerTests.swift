import Scheduling
import Testing

/// Plays the engine: every token it "generates" is a function of the tokens before it, as greedy decoding is.
private func nextToken(after tokens: [Int32]) -> Int32 {
    Int32(truncatingIfNeeded: tokens.suffix(3).reduce(7) { $0 &* 31 &+ Int($1) } & 0xff)
}

/// Runs one step; the ids that finished, with their outputs.
private func step(_ scheduler: inout Scheduler) -> [(id: UInt64, output: [Int32])]? {
    guard let batch = scheduler.nextBatch() else { return nil }
    var done: [(UInt64, [Int32])] = []
    for entry in batch.entries {
        let request = scheduler.request(entry.id)!
        guard entry.yieldsToken else {
            scheduler.commit(entry, token: nil, finished: false)
            continue
        }
        let token = nextToken(after: request.tokens)
        let finished = request.outputCount + 1 >= request.maxNewTokens
        if finished { done.append((entry.id, Array(request.tokens[request.promptCount...]) + [token])) }
        scheduler.commit(entry, token: token, finished: finished)
    }
    return done
}

private func expectedOutput(_ prompt: [Int32], _ count: Int) -> [Int32] {
    var tokens = prompt
    for _ in 0..<count { tokens.append(nextToken(after: tokens)) }
    return Array(tokens[prompt.count...])
}

@Suite struct SchedulerTests {
    private static let roomy = SchedulerLimits(
        slots: 1000, contextLength: 512, maxRunning: 16, chunkTokens: 64, logitRows: 64)

    @Test func aLongPromptIsComputedInChunksWhileOthersDecode() {
        var scheduler = Scheduler(limits: Self.roomy)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: [1, 2, 3], maxNewTokens: 50))
        _ = step(&scheduler)
        _ = scheduler.admit(ScheduledRequest(id: 2, prompt: Array(0..<150), maxNewTokens: 5))
        var sizes: [Int] = []
        for _ in 0..<3 {
            let batch = scheduler.nextBatch()!
            #expect(batch.entries[0].id == 1 && batch.entries[0].count == 1 && batch.entries[0].yieldsToken)
            sizes.append(batch.entries[1].count)
            for entry in batch.entries { scheduler.commit(entry, token: entry.yieldsToken ? 9 : nil, finished: false) }
        }
        #expect(sizes == [64, 64, 22])
    }

    @Test func aSecondRequestTakesTheSharedPrefixFromTheCache() {
        var scheduler = Scheduler(limits: Self.roomy)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: Array(0..<100), maxNewTokens: 2))
        while let done = step(&scheduler), done.isEmpty {}
        _ = scheduler.admit(ScheduledRequest(id: 2, prompt: Array(0..<90) + [777], maxNewTokens: 2))
        let batch = scheduler.nextBatch()!
        #expect(batch.entries.map(\.start) == [90])
        let request = scheduler.request(2)
        #expect(request?.cachedTokens == 90)
    }

    @Test func aPrefixIsComputedOnceForRequestsThatArriveTogether() {
        var scheduler = Scheduler(limits: Self.roomy)
        let shared = (0..<128).map { Int32($0) }
        for id in 1...8 {
            _ = scheduler.admit(ScheduledRequest(id: UInt64(id), prompt: shared + [Int32(500 + id)], maxNewTokens: 1))
        }
        var rows = 0
        while let batch = scheduler.nextBatch() {
            rows += batch.rowCount
            for entry in batch.entries {
                scheduler.commit(entry, token: entry.yieldsToken ? 1 : nil, finished: entry.yieldsToken)
            }
        }
        #expect(rows == 128 + 8)
    }

    @Test func scoredPromptsAreComputedFromTheirFirstScoredPosition() {
        var scheduler = Scheduler(limits: Self.roomy)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: Array(0..<40), maxNewTokens: 1))
        while let done = step(&scheduler), done.isEmpty {}
        _ = scheduler.admit(ScheduledRequest(id: 2, prompt: Array(0..<40), maxNewTokens: 1, scoredFrom: 10))
        let entry = scheduler.nextBatch()!.entries[0]
        #expect((entry.start, entry.logitsFrom, entry.count) == (10, 10, 30))
    }

    @Test func longScoredPromptsKeepToTheLogitBudget() {
        var limits = Self.roomy
        limits.logitRows = 16
        var scheduler = Scheduler(limits: limits)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: Array(0..<100), maxNewTokens: 1, scoredFrom: 30))
        var sizes: [Int] = []
        while let batch = scheduler.nextBatch() {
            sizes.append(batch.entries[0].count)
            #expect(batch.entries[0].logitRows <= 16)
            for entry in batch.entries {
                scheduler.commit(entry, token: entry.yieldsToken ? 1 : nil, finished: entry.yieldsToken)
            }
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
        var scheduler = Scheduler(limits: limits)
        let first = scheduler.admit(ScheduledRequest(id: 1, prompt: [1], maxNewTokens: 4))
        let second = scheduler.admit(ScheduledRequest(id: 2, prompt: [1], maxNewTokens: 4))
        _ = step(&scheduler)
        let third = scheduler.admit(ScheduledRequest(id: 3, prompt: [1], maxNewTokens: 4))
        #expect([first, second, third] == [.queued, .queueFull, .queued])
        scheduler.retractAll()
        let counts = scheduler.counts
        #expect(counts.waiting == 2)
    }

    @Test func aResumedRequestGoesOnAfterItsOutput() {
        var scheduler = Scheduler(limits: Self.roomy)
        let output = expectedOutput([5, 6, 7], 10)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: [5, 6, 7], output: Array(output[..<4]), maxNewTokens: 10))
        var result: [Int32] = []
        while let done = step(&scheduler) { if let first = done.first { result = first.output } }
        #expect(result == output)
    }

    @Test func flushingIsRefusedWhileRequestsRun() {
        var scheduler = Scheduler(limits: Self.roomy)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: Array(0..<50), maxNewTokens: 1))
        let early = scheduler.flushCache()
        while let done = step(&scheduler), done.isEmpty {}
        let cached = scheduler.counts.cached
        let late = scheduler.flushCache()
        let free = scheduler.counts.free
        #expect((early, cached, late, free) == (false, 50, true, 1000))
    }

    /// Thousands of steps with shared prefixes, aborts and a pool far too small: slots always add up, every request ends, and its
    /// output is what it would have been alone.
    @Test(arguments: 0..<40) func randomSchedulesLoseNothing(seed: Int) {
        var random = SplitMix(state: UInt64(seed) &* 0x9E37_79B9 &+ 1)
        let limits = SchedulerLimits(
            slots: 60 + Int(random.next() % 200), contextLength: 50 + Int(random.next() % 60),
            maxRunning: 1 + Int(random.next() % 12),
            chunkTokens: 1 + Int(random.next() % 40), logitRows: 4 + Int(random.next() % 40),
            policy: seed % 2 == 0 ? .fcfs : .lpm, conservativeness: seed % 3 == 0 ? 0.05 : 1,
            usesPrefixCache: seed % 5 != 0)
        var scheduler = Scheduler(limits: limits)
        var prompts: [UInt64: (prompt: [Int32], count: Int)] = [:]
        var nextID: UInt64 = 1
        for _ in 0..<600 {
            if prompts.count < 20, random.next() % 2 == 0 {
                let length = 1 + Int(random.next() % UInt64(max(1, limits.maxPromptLength)))
                let prompt = (0..<length).map { Int32($0 / 7 + Int(random.next() % 8 == 0 ? random.next() % 3 : 0)) }
                let count = max(1, min(1 + Int(random.next() % 40), limits.maxRequestLength - length))
                let scored = random.next() % 4 == 0 ? Int(random.next() % UInt64(length)) : nil
                let request = ScheduledRequest(id: nextID, prompt: prompt, maxNewTokens: count, scoredFrom: scored)
                if scheduler.admit(request) == .queued {
                    prompts[nextID] = (prompt, count)
                }
                nextID += 1
            }
            if random.next() % 25 == 0, let victim = prompts.keys.min() {
                let known = scheduler.abort(victim)
                #expect(known)
                prompts[victim] = nil
            }
            for (id, output) in step(&scheduler) ?? [] {
                let asked = prompts.removeValue(forKey: id)!
                #expect(output == expectedOutput(asked.prompt, asked.count))
            }
            let counts = scheduler.counts
            #expect(counts.free + counts.cached + counts.held == counts.total)
        }
        var steps = 0
        while !scheduler.isIdle, steps < 20_000 {
            for (id, output) in step(&scheduler) ?? [] {
                let asked = prompts.removeValue(forKey: id)!
                #expect(output == expectedOutput(asked.prompt, asked.count))
            }
            steps += 1
        }
        let (idle, held) = (scheduler.isIdle, scheduler.counts.held)
        let flushed = scheduler.flushCache()
        let free = scheduler.counts.free
        #expect(idle && prompts.isEmpty && held == 0)
        #expect(flushed && free == limits.slots)
    }
}

/// A small seeded generator, so that every failure can be repeated.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
