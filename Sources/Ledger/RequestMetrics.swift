package import ChildRuntime
internal import Messages
package import ServerSettings

/// What the front counts of its clients' requests; part of the ledger, which sees every event once.
package struct RequestMetrics: Sendable, Equatable {
    /// Counts of requests that stream, or of those that do not.
    package struct Half: Sendable, Equatable {
        package var requests: UInt64 = 0
        package var promptTokens: UInt64 = 0
        package var generatedTokens: UInt64 = 0
        package var timeToFirstToken: Histogram
        package var timePerOutputToken: Histogram
        package var endToEnd: Histogram

        init(_ buckets: MetricBuckets) {
            timeToFirstToken = Histogram(bounds: buckets.timeToFirstToken)
            timePerOutputToken = Histogram(bounds: buckets.interTokenLatency)
            endToEnd = Histogram(bounds: buckets.endToEnd)
        }
    }

    /// Counts of the requests of one priority, or of all where priorities are not told apart.
    package struct Share: Sendable, Equatable {
        package var streaming: Half
        package var whole: Half
        package var interToken: Histogram
        package var promptLengths: Histogram
        package var uncachedLengths: Histogram
        package var outputLengths: Histogram
        package var cachedTokens: UInt64 = 0
        /// Requests whose answers had to fit a grammar.
        package var structured: UInt64 = 0
        package var aborted: UInt64 = 0

        init(_ buckets: MetricBuckets) {
            streaming = Half(buckets)
            whole = Half(buckets)
            interToken = Histogram(bounds: buckets.interTokenLatency)
            promptLengths = Histogram(bounds: buckets.promptTokens)
            uncachedLengths = Histogram(bounds: buckets.promptTokens)
            outputLengths = Histogram(bounds: buckets.generationTokens)
        }

        /// Changes the half that a row belongs to.
        mutating func update(_ row: LedgerRow, _ change: (inout Half) -> Void) {
            if row.errand.isStreamed { change(&streaming) } else { change(&whole) }
        }
    }

    /// That requests are counted by priority, which is a label then.
    package struct PriorityLabels: Sendable, Equatable {
        /// What a request has that names none.
        let defaultValue: Int64?

        /// As `--enable-priority-scheduling` and `--default-priority-value` say.
        package init?(_ settings: FrontSettings) {
            guard settings.enablePriorityScheduling else { return nil }
            defaultValue = settings.defaultPriorityValue.map(Int64.init)
        }
    }

    /// What becomes of a request when a process that held it dies.
    package enum Loss: String, Sendable, CaseIterable {
        /// It was running in too many crashes of the worker.
        case poisonous
        /// It was submitted again and again without progress.
        case stuck
        /// A process was missing for too long.
        case notReady = "not_ready"
        /// A process was given up.
        case givenUp = "given_up"
    }

    /// Clients choose priorities, so only so many are told apart.
    static let mostPriorities = 64

    /// By priority; under nil is what has none, or came when there were too many.
    package private(set) var shares: [Int64?: Share]
    /// Nil: priorities are not told apart.
    package let priorities: PriorityLabels?
    /// Submissions again of requests whose processes died.
    package private(set) var replayed: UInt64 = 0
    package private(set) var lost: [Loss: UInt64] = [:]
    private let buckets: MetricBuckets

    package init(_ buckets: MetricBuckets = .init(), priorities: PriorityLabels? = nil) {
        self.buckets = buckets
        self.priorities = priorities
        shares = [priorities?.defaultValue: Share(buckets)]
    }

    /// New ids of a row arrived; its times are those before them.
    mutating func progressed(_ row: LedgerRow, fresh: Int, now: Double) {
        guard row.isCounted, fresh > 0 else { return }
        update(row) { share in
            if row.times.firstFrame == 0 {
                share.update(row) { $0.timeToFirstToken.observe(now - row.times.received) }
            } else {
                share.interToken.observe((now - row.times.lastFrame) / Double(fresh), times: fresh)
            }
        }
    }

    /// A row has its vector, which is the first and the last of it.
    mutating func answered(_ row: LedgerRow, now: Double) {
        guard row.isCounted else { return }
        update(row) { $0.update(row) { $0.timeToFirstToken.observe(now - row.times.received) } }
    }

    /// A row ended.
    mutating func ended(_ row: LedgerRow, _ ending: RowEnding, now: Double) {
        if case .failed(let failure) = ending, let loss = failure.loss { lost[loss, default: 0] += 1 }
        guard row.isCounted, case .finished(let finish) = ending else { return }
        if case .aborted? = finish.reason { return update(row) { $0.aborted += 1 } }
        let (prompt, output) = (row.output.promptTokens, row.output.ids.count)
        update(row) { share in
            share.update(row) { half in
                half.requests += 1
                half.promptTokens += UInt64(prompt)
                half.generatedTokens += UInt64(output)
                half.endToEnd.observe(now - row.times.received)
                if output > 1 {
                    half.timePerOutputToken.observe((now - row.times.firstFrame) / Double(output - 1))
                }
            }
            share.cachedTokens += UInt64(row.output.cachedTokens)
            share.promptLengths.observe(Double(prompt))
            share.uncachedLengths.observe(Double(prompt - row.output.cachedTokens))
            if case .generate(let request) = row.errand {
                share.outputLengths.observe(Double(output))
                if request.sampling.grammar != nil { share.structured += 1 }
            }
        }
    }

    /// A client went away from a row that had not ended.
    mutating func abandoned(_ row: LedgerRow) {
        if row.isCounted { update(row) { $0.aborted += 1 } }
    }

    /// A row goes down the pipe once more.
    mutating func resubmitted() { replayed += 1 }

    private mutating func update(_ row: LedgerRow, _ change: (inout Share) -> Void) {
        let (priority, buckets) = (priority(of: row), buckets)
        change(&shares[priority, default: Share(buckets)])
    }

    private func priority(of row: LedgerRow) -> Int64? {
        guard let priorities, let priority = row.errand.priority ?? priorities.defaultValue else { return nil }
        return shares[priority] != nil || shares.count < Self.mostPriorities ? priority : nil
    }
}
