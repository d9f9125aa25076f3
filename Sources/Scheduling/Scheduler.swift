internal import DequeModule
internal import KVCache

/// Who computes what next: a value that owns the slots, the prefix tree and the queues, and knows no clock, socket or tensor.
///
/// A step is `nextBatch()`, the engine's work, then one `commit` for each entry that yielded a token. Decoding requests are always in the
/// batch; prefill chunks fill the rest of the step's budget, so a long prompt does not stall running streams.
package struct Scheduler: ~Copyable {
    package let limits: SchedulerLimits
    var pool: SlotPool
    var tree = RadixTree()
    var requests: [UInt64: ScheduledRequest] = [:]
    /// Not admitted yet, or retracted; the retracted go first.
    var waiting = Deque<UInt64>()
    /// Admitted, in order of admission.
    var running: [UInt64] = []
    var arrivals: UInt64 = 0
    var retractionCount = 0
    var reserveRatio: ReserveRatio

    package init(limits: SchedulerLimits) {
        self.limits = limits
        pool = SlotPool(total: limits.slots)
        reserveRatio = ReserveRatio(conservativeness: limits.conservativeness)
    }

    /// Queues a request.
    package mutating func admit(_ request: ScheduledRequest) -> Admission {
        guard request.promptCount <= limits.maxPromptLength, request.tokens.count < limits.slots else {
            return .tooLong(limit: limits.maxPromptLength)
        }
        if let most = limits.maxQueued, waiting.count >= most { return .queueFull }
        precondition(requests[request.id] == nil, "a request was queued twice")
        requests[request.id] = request
        waiting.append(request.id)
        return .queued
    }

    /// The request with this id, while it waits or runs.
    package func request(_ id: UInt64) -> ScheduledRequest? { requests[id] }

    /// The request waits for its turn.
    package func isWaiting(_ id: UInt64) -> Bool { waiting.contains(id) }

    /// Nothing waits and nothing runs.
    package var isIdle: Bool { requests.isEmpty }

    /// The rows of the next step; nil when nothing can be computed.
    package mutating func nextBatch() -> Batch? {
        var batch = Batch()
        while true {
            makeRoomForDecode(&batch)
            fill(&batch)
            if !batch.entries.isEmpty {
                reserveRatio.decay()
                return batch
            }
            // Unfinished prompts that hold all slots between them: the one that loses least makes room for the others.
            guard running.count > 1, let victim = cheapestVictim() else { break }
            retract(victim)
            batch.retracted.append(victim)
        }
        reserveRatio.reset()
        return nil
    }

    /// Decoding requests first, then prompts under way, then new ones.
    private mutating func fill(_ batch: inout Batch) {
        var budget = limits.chunkTokens
        var logitBudget = limits.logitRows
        for id in running where requests[id]?.isPrefilling == false {
            addRows(id, count: 1, to: &batch)
            logitBudget -= 1
        }
        logitBudget = max(1, logitBudget)
        for id in running where requests[id]?.isPrefilling == true {
            extendPrefill(id, &batch, &budget, &logitBudget)
        }
        admitWaiting(&batch, &budget, &logitBudget)
    }

    /// Records that the entry's rows were computed and, when it yields one, the token that was chosen.
    ///
    /// A finished request leaves: what it computed stays cached, its slots and locks are given back.
    package mutating func commit(_ entry: Batch.Entry, token: Int32?, finished: Bool) {
        guard requests[entry.id] != nil else { return }
        requests[entry.id]!.computed = entry.start + entry.count
        if let token { requests[entry.id]!.tokens.append(token) }
        if finished {
            retire(entry.id)
        } else if entry.count > 1 || requests[entry.id]!.outputCount == 1 {
            cache(entry.id)
        }
    }

    /// The prompt's log probabilities were delivered: a later retraction need not compute them again.
    package mutating func scored(_ id: UInt64) { requests[id]?.scoredFrom = nil }

    /// Ends a request wherever it is; false when it is unknown. What it computed alone is not kept.
    @discardableResult
    package mutating func abort(_ id: UInt64) -> Bool {
        guard requests[id] != nil else { return false }
        release(id)
        requests[id] = nil
        waiting.removeAll { $0 == id }
        running.removeAll { $0 == id }
        return true
    }

    /// Ends a request but keeps what it computed in the prefix cache: it comes again as another attempt.
    package mutating func withdraw(_ id: UInt64) {
        guard requests[id] != nil else { return }
        cache(id)
        abort(id)
    }

    /// Takes the slots of every running request and queues them again (pause_generation with mode retract).
    package mutating func retractAll() {
        for id in running.reversed() { retract(id) }
    }

    /// Empties the prefix cache; false while requests wait or run.
    package mutating func flushCache() -> Bool {
        guard isIdle else { return false }
        pool.give(tree.evictAll())
        return true
    }

    /// The counts now.
    package var counts: SchedulerCounts {
        var own = 0
        var waitingTokens = 0
        for request in requests.values { own += request.slots.count - request.treeOwned }
        for id in waiting { waitingTokens += requests[id]?.uncomputed ?? 0 }
        return SchedulerCounts(
            running: running.count, waiting: waiting.count, total: pool.total, free: pool.available,
            cached: tree.evictable,
            held: tree.protected + own, waitingTokens: waitingTokens, retractions: retractionCount)
    }

    /// Ids of everything that waits or runs.
    package var ids: [UInt64] { Array(requests.keys) }
}
