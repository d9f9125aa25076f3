import KVCache
import Scheduling
import Testing
import Values

/// Thousands of small servers with random limits, policies, page sizes and traffic, all from one number each: `Story(seed: n).tell()`.
@Suite struct RandomScheduleTests {
    @Test(arguments: 0..<20) func nothingIsLostUnderAnyTraffic(block: Int) {
        for seed in (block * 100)..<(block * 100 + 100) {
            var story = Story(seed: seed)
            let problem = story.tell()
            #expect(problem == nil, "seed \(seed), \(story.limits)")
            if problem != nil { return }
        }
    }
}

/// One server's life: requests arrive, are aborted or come again as another attempt, and all that remain must end rightly.
private struct Story: ~Copyable {
    let limits: SchedulerLimits
    private var random: SplitMix64
    private var run: Run
    /// Open requests: what was asked of them.
    private var open: [UInt64: (prompt: [Int32], count: Int)] = [:]
    private var nextID: UInt64 = 1

    init(seed: Int) {
        random = SplitMix64(schedule: seed)
        limits = Self.limits(&random)
        run = Run(limits)
    }

    private static func limits(_ random: inout SplitMix64) -> SchedulerLimits {
        let context = Int.random(in: 30...110, using: &random)
        let policy = SchedulePolicy.allCases.randomElement(using: &random)!
        let cuts = !random.once(in: 4)
        var limits = SchedulerLimits(
            slots: Int.random(in: 70...260, using: &random), pageSize: [1, 1, 4, 16].randomElement(using: &random)!,
            contextLength: context, maxRunning: Int.random(in: 1...12, using: &random),
            maxQueued: random.once(in: 3) ? Int.random(in: 1...6, using: &random) : nil,
            chunkTokens: cuts ? Int.random(in: 1...40, using: &random) : context, cutsPrompts: cuts,
            prefillRequests: random.once(in: 3) ? Int.random(in: 1...2, using: &random) : nil,
            logitRows: Int.random(in: 4...44, using: &random), policy: policy,
            conservativeness: random.once(in: 3) ? 0.05 : 1, usesPrefixCache: !random.once(in: 5),
            seed: random.next())
        if policy == .fcfs || policy == .lof, !random.once(in: 3) {
            limits.priorities = PriorityRules(
                lowValuesFirst: Bool.random(using: &random), defaultValue: random.once(in: 2) ? 3 : nil,
                preemptionGap: [nil, 0, 10].randomElement(using: &random)!,
                guidesRetraction: Bool.random(using: &random))
        }
        limits.keepsBook = limits.usesPrefixCache && !random.once(in: 4)
        if random.once(in: 3) {
            limits.window = WindowLimits(
                positions: Int.random(in: 1...60, using: &random), beside: limits,
                ratio: Double.random(in: 0...1, using: &random))
        }
        return limits
    }

    /// Plays it to the end; what went wrong.
    mutating func tell() -> String? {
        for _ in 0..<150 {
            if open.count < 20, Bool.random(using: &random), let problem = arrive() { return problem }
            if random.once(in: 25), let problem = disturb() { return problem }
            if random.once(in: 40), let problem = die() { return problem }
            if let problem = step() { return problem }
        }
        var steps = 0
        while !open.isEmpty {
            if let problem = step() { return problem }
            steps += 1
            if steps > 20_000 { return "starved: \(open.keys.sorted())" }
        }
        guard run.scheduler.isIdle, run.scheduler.counts.held == 0, run.scheduler.flushCache() else {
            return "not idle"
        }
        return run.scheduler.counts.free == limits.usableSlots ? nil : "slots are missing"
    }

    private mutating func arrive() -> String? {
        let length = Int.random(in: 1...limits.maxPromptLength, using: &random)
        // Prompts share prefixes of all lengths.
        let prompt = (0..<length).map {
            Int32($0 / 7 + (random.once(in: 8) ? Int.random(in: 0..<3, using: &random) : 0))
        }
        let count = min(Int.random(in: 1...40, using: &random), limits.maxRequestLength - length)
        let waiting = run.scheduler.counts.waiting
        let priority = random.once(in: 4) ? nil : Int64.random(in: -20...20, using: &random)
        let admission = run.scheduler.admit(
            ScheduledRequest(
                id: nextID, prompt: prompt, maxNewTokens: count,
                scoredFrom: random.once(in: 4) ? Int.random(in: 0..<length, using: &random) : nil,
                namespace: random.once(in: 6) ? "other" : "", priority: priority,
                routingKey: ["", "a", "b"].randomElement(using: &random)!))
        switch admission {
        case .queued: open[nextID] = (prompt, count)
        case .queuedInPlaceOf(let id):
            guard limits.priorities != nil, open.removeValue(forKey: id) != nil else { return "\(id) was displaced" }
            open[nextID] = (prompt, count)
        case .queueFull where waiting >= limits.maxQueued ?? .max: break
        default: return "\(admission) with \(waiting) waiting"
        }
        nextID += 1
        if let most = limits.maxQueued, run.scheduler.counts.waiting > max(most, waiting) {
            return "the queue overflows"
        }
        return nil
    }

    /// A client goes, all is retracted, or a request comes again as after a crash.
    private mutating func disturb() -> String? {
        guard let id = open.keys.sorted().randomElement(using: &random), let request = run.scheduler.request(id) else {
            return nil
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: run.scheduler.retractAll()
        case 1:
            run.scheduler.withdraw(id)
            let output = Array(request.tokens[request.promptCount...])
            let again = ScheduledRequest(
                id: id, prompt: Array(request.tokens[..<request.promptCount]), output: output,
                maxNewTokens: request.maxNewTokens, namespace: request.namespace, priority: request.priority,
                wasAccepted: true)
            guard run.scheduler.admit(again) == .queued else { return "\(id) was not taken again" }
        default:
            guard run.scheduler.abort(id) else { return "\(id) is unknown" }
            open[id] = nil
        }
        return run.scheduler.slotError()
    }

    /// The worker dies, and whoever is not done comes again, with the output that its client has.
    private mutating func die() -> String? {
        guard limits.keepsBook else { return nil }
        var again: [ScheduledRequest] = []
        for (id, asked) in open.sorted(by: { $0.key < $1.key }) {
            guard let request = run.scheduler.request(id) else { return "\(id) is unknown" }
            let known = request.outputCount - Int.random(in: 0...min(2, request.outputCount), using: &random)
            again.append(
                ScheduledRequest(
                    id: id, prompt: asked.prompt, output: Array(request.tokens[asked.prompt.count...].prefix(known)),
                    maxNewTokens: asked.count, namespace: request.namespace, priority: request.priority,
                    wasAccepted: true))
        }
        let kept = run.die(&random)
        guard run.scheduler.counts.cached == kept else { return "the cache has not what was kept" }
        if let error = run.scheduler.slotError() { return error }
        for request in again.shuffled(using: &random) {
            guard run.scheduler.admit(request) == .queued else { return "\(request.id) was not taken again" }
        }
        return nil
    }

    private mutating func step() -> String? {
        let decoding = run.scheduler.ids.filter { id in
            guard let request = run.scheduler.request(id) else { return false }
            return !run.scheduler.isWaiting(id) && request.outputCount > 0 && request.uncomputed == 1
        }
        // Now and then several tokens are known at once.
        let several = random.once(in: 4) ? Int.random(in: 2...5, using: &random) : 1
        var terms = StepTerms()
        terms.holdsLastTokens = random.once(in: 2)
        if random.once(in: 3) { terms.promptTokensBesideDecoding = Int.random(in: 1...20, using: &random) }
        guard let (batch, ended) = run.step(terms, several: several) else { return open.isEmpty ? nil : "stuck" }
        let served = Set(batch.entries.map(\.id)).union(batch.retracted).union(batch.preempted)
        if let left = decoding.first(where: { !served.contains($0) }) { return "\(left) was left out of a step" }
        if batch.entries.count > limits.maxRunning || Set(batch.entries.map(\.id)).count != batch.entries.count {
            return "a batch of \(batch.entries.map(\.id))"
        }
        if batch.rowCount > limits.chunkTokens + limits.maxRunning { return "\(batch.rowCount) rows in a step" }
        if batch.prefillTokens > limits.chunkTokens { return "\(batch.prefillTokens) prompt tokens in a step" }
        for (id, output) in ended {
            guard let asked = open.removeValue(forKey: id) else { return "\(id) ended twice" }
            if output != ScriptedEngine.output(of: asked.prompt, count: asked.count, window: limits.window?.positions) {
                return "\(id) generated something else"
            }
        }
        return run.scheduler.slotError()
    }
}
