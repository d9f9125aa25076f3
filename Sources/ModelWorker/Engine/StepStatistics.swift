internal import ChildRuntime
internal import Logging
internal import Scheduling
internal import ServerSettings
internal import Values

/// Counts steps and writes the batch lines that SGLang's operators know.
struct StepStatistics {
    let weightBytes: UInt64
    let kvBytes: UInt64
    /// Decode steps between two lines.
    let interval: Int
    private(set) var generationThroughput = 0.0
    private(set) var cacheHitRate = 0.0
    /// Times from arrival to admission in seconds.
    private(set) var queueTime = Histogram(bounds: MetricBuckets.queueTime)
    private(set) var decodedTokens: UInt64 = 0
    private(set) var steps: UInt64 = 0
    /// Prompt tokens that a millisecond computes, by the latest steps; 0: not known yet.
    private var promptRate = 0.0
    /// Milliseconds in steps with prompt tokens, in those without, and without anything to compute.
    private(set) var prefillTime: UInt64 = 0
    private(set) var decodeTime: UInt64 = 0
    private var idleTime: UInt64 = 0
    private var idleSince: UInt64?
    private var stepBegan: UInt64 = 0
    private var decodeSteps = 0
    private var tokens = 0
    private var since = monotonicMilliseconds()
    private var lastPrefill = monotonicMilliseconds()

    init(weightBytes: UInt64, kvBytes: UInt64, interval: Int) {
        self.weightBytes = weightBytes
        self.kvBytes = kvBytes
        self.interval = max(1, interval)
    }

    /// Nothing runs: the pause must not count as slow generation.
    mutating func becameIdle() {
        (tokens, decodeSteps) = (0, 0)
        since = monotonicMilliseconds()
        lastPrefill = since
        if idleSince == nil { idleSince = since }
    }

    /// Seconds without anything to compute.
    var idleSeconds: Double {
        Double(idleTime + (idleSince.map { monotonicMilliseconds() - $0 } ?? 0)) / 1000
    }

    /// A step begins.
    mutating func began() {
        stepBegan = monotonicMilliseconds()
        if let idle = idleSince { idleTime += stepBegan - idle }
        idleSince = nil
    }

    /// Prompt tokens that keep a step short enough for the streams that wait for its end; nil while that is not known.
    ///
    /// Small pieces cost speed, so there are at least 128 tokens, whose products are nearly as fast as those of many.
    var promptTokensBesideDecoding: Int? {
        promptRate == 0 ? nil : max(128, Int(promptRate * Self.longestPause) / 64 * 64)
    }

    /// Milliseconds that a prompt may keep running streams waiting, about.
    private static let longestPause = 300.0

    /// A request is computed for the first time since it came.
    mutating func admitted(after milliseconds: UInt64) { queueTime.observe(Double(milliseconds) / 1000) }

    /// A step is over.
    mutating func stepped(_ batch: Batch, _ counts: SchedulerCounts, _ log: Logger) {
        let now = monotonicMilliseconds()
        steps += 1
        if batch.prefillTokens >= 64 {
            let rate = Double(batch.prefillTokens) / Double(max(1, now - stepBegan))
            promptRate = promptRate == 0 ? rate : 0.7 * promptRate + 0.3 * rate
        }
        if batch.prefillTokens > 0 { prefillTime += now - stepBegan } else { decodeTime += now - stepBegan }
        decodedTokens += UInt64(batch.entries.count { $0.yieldsToken })
        if !batch.retracted.isEmpty {
            log.warning("KV cache pool is full. Retract requests. #retracted_reqs: \(batch.retracted.count)")
        }
        if !batch.preempted.isEmpty {
            log.info("Preempt running requests for a more urgent one. #preempted_reqs: \(batch.preempted.count)")
        }
        if batch.prefillTokens > 0 { prefillLine(batch, counts, now, log) }
        let decoding = batch.entries.filter { $0.count == 1 && $0.yieldsToken }.count
        guard decoding > 0 else { return }
        tokens += decoding
        decodeSteps += 1
        guard decodeSteps >= interval else { return }
        generationThroughput = Double(tokens) * 1000 / Double(max(1, now - since))
        log.info(
            """
            Decode batch, #running-req: \(counts.running), #token: \(counts.total - counts.free - counts.cached), \
            token usage: \(fixed(usage(counts), 2)), cpu graph: False, gen throughput (token/s): \
            \(fixed(generationThroughput, 2)), #queue-req: \(counts.waiting), timestamp: \(CalendarTime.now().iso)
            """)
        (tokens, decodeSteps, since) = (0, 0, now)
    }

    private mutating func prefillLine(_ batch: Batch, _ counts: SchedulerCounts, _ now: UInt64, _ log: Logger) {
        let cached = batch.admittedCachedTokens
        cacheHitRate = Double(cached) / Double(max(1, cached + batch.prefillTokens))
        let throughput = Double(batch.prefillTokens) * 1000 / Double(max(1, now - lastPrefill))
        lastPrefill = now
        log.info(
            """
            Prefill batch, #new-seq: \(batch.admitted.count), #new-token: \(batch.prefillTokens), #cached-token: \(cached), \
            token usage: \(fixed(usage(counts), 2)), #running-req: \(counts.running), #queue-req: \(counts.waiting), \
            #pending-token: \(counts.waitingTokens), cpu graph: False, input throughput (token/s): \(fixed(throughput, 2)), \
            timestamp: \(CalendarTime.now().iso)
            """)
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
