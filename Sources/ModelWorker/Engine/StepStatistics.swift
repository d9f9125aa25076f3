internal import ChildRuntime
internal import Logging
internal import Scheduling
internal import ServerSettings

/// Counts steps and words the batch lines that SGLang's operators know. Times are monotonic seconds, handed in.
struct StepStatistics: Sendable {
    /// Decode steps between two lines.
    private let interval: Int
    private let generates: Bool
    private(set) var generationThroughput = 0.0
    private(set) var cacheHitRate = 0.0
    /// Times from arrival to admission.
    private(set) var queueTime = Histogram(bounds: MetricBuckets.queueTime)
    private(set) var decodedTokens: UInt64 = 0
    private(set) var steps: UInt64 = 0
    /// Time in steps with prompt tokens, and in those without.
    private(set) var prefillTime = 0.0
    private(set) var decodeTime = 0.0
    /// Time without anything to compute, up to when it was last looked at.
    private(set) var idleTime = 0.0
    private var idleSince: Double?
    private var stepBegan = 0.0
    private var decodeSteps = 0
    private var tokens = 0
    private var since: Double
    private var lastPrefill: Double

    init(_ traits: EngineTraits, now: Double) {
        interval = max(1, traits.logInterval)
        generates = traits.generates
        since = now
        lastPrefill = now
    }

    /// Nothing runs: the pause must not count as slow generation.
    mutating func becameIdle(now: Double) {
        (tokens, decodeSteps) = (0, 0)
        since = now
        lastPrefill = now
        noteIdleness(now: now)
        idleSince = now
    }

    /// Adds what passed of the pause.
    mutating func noteIdleness(now: Double) {
        guard let begin = idleSince else { return }
        idleTime += now - begin
        idleSince = now
    }

    /// A step begins.
    mutating func began(now: Double) {
        noteIdleness(now: now)
        idleSince = nil
        stepBegan = now
    }

    /// How long the step that is over `now` took.
    func secondsOfStep(now: Double) -> Double { now - stepBegan }

    /// A request is computed for the first time since it came.
    mutating func admitted(after seconds: Double) { queueTime.observe(seconds) }

    /// An entry of the step yielded so many tokens; `decoding`, if it did not compute a prompt.
    mutating func yielded(_ count: Int, decoding: Bool) {
        decodedTokens += UInt64(count)
        if decoding { tokens += count }
    }

    /// A step is over; what is to be logged of it.
    mutating func stepped(_ batch: Batch, _ counts: SchedulerCounts, now: Double) -> [Effect] {
        steps += 1
        if batch.prefillTokens > 0 { prefillTime += now - stepBegan } else { decodeTime += now - stepBegan }
        var lines: [Effect] = []
        if !batch.retracted.isEmpty {
            lines.append(
                .log(
                    .warning, "KV cache pool is full. Retract requests. #retracted_reqs: \(batch.retracted.count)"))
        }
        if !batch.preempted.isEmpty {
            lines.append(
                .log(
                    .info,
                    "Preempt running requests for a more urgent one. #preempted_reqs: \(batch.preempted.count)"))
        }
        if batch.prefillTokens > 0 { lines.append(.batchLine(prefillLine(batch, counts, now))) }
        guard generates, batch.decodingEntries > 0 else { return lines }
        decodeSteps += 1
        guard decodeSteps >= interval else { return lines }
        generationThroughput = Double(tokens) / max(0.001, now - since)
        lines.append(
            .batchLine(
                """
                Decode batch, #running-req: \(counts.running), #token: \(counts.total - counts.free - counts.cached), \
                \(usages(counts)), cpu graph: False, gen throughput (token/s): \
                \(fixed(generationThroughput, 2)), #queue-req: \(counts.waiting)
                """))
        (tokens, decodeSteps, since) = (0, 0, now)
        return lines
    }

    private mutating func prefillLine(_ batch: Batch, _ counts: SchedulerCounts, _ now: Double) -> String {
        let cached = batch.admittedCachedTokens
        cacheHitRate = Double(cached) / Double(max(1, cached + batch.prefillTokens))
        let throughput = Double(batch.prefillTokens) / max(0.001, now - lastPrefill)
        lastPrefill = now
        return """
            Prefill batch, #new-seq: \(batch.admitted.count), #new-token: \(batch.prefillTokens), #cached-token: \(cached), \
            \(usages(counts)), #running-req: \(counts.running), #queue-req: \(counts.waiting), \
            #pending-token: \(counts.waitingTokens), cpu graph: False, input throughput (token/s): \(fixed(throughput, 2))
            """
    }

    private func usages(_ counts: SchedulerCounts) -> String {
        let whole = "token usage: \(fixed(usage(counts), 2))"
        guard let window = counts.window else { return whole }
        return "full \(whole), swa token usage: \(fixed(Double(window.held) / Double(max(1, window.total)), 2))"
    }

    private func usage(_ counts: SchedulerCounts) -> Double {
        Double(counts.total - counts.free - counts.cached) / Double(max(1, counts.total))
    }
}

/// A number with a fixed count of digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let whole = Int64((max(0, value) * scale).rounded())
    let fraction = String(whole % Int64(scale))
    return "\(whole / Int64(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
}
