internal import DequeModule
internal import KVCache
internal import Values

/// Who computes what next: a value that owns the slots, the prefix tree and the queues, and knows no clock, socket or tensor.
///
/// A step is `nextBatch()`, the engine's work, then one `commit` for each entry, with the tokens that it yielded. Decoding requests are always in the
/// batch; prefill chunks fill the rest of the step's budget, so a long prompt does not stall running streams.
package struct Scheduler: ~Copyable {
    package let limits: SchedulerLimits
    var pool: SlotPool
    var tree: RadixTree
    /// Slots of the layers with a window; there are none where no layer has one.
    var windowPages: WindowPages
    /// What the slots hold; empty unless somebody wants to know.
    var book: SlotBook
    var table = RequestTable()
    /// Rows not admitted yet, or retracted, in the order of `precedes`.
    var waiting = Deque<Int>()
    /// Admitted rows, in order of admission.
    var running: [Int] = []
    /// Slots of running requests that are not the tree's, in whole pages.
    var ownSlots = 0
    var waitingTokens = 0
    var arrivals: UInt64 = 0
    /// What was done since the start.
    package internal(set) var tally = SchedulerTally()
    var reserveRatio: ReserveRatio
    var random: SplitMix64

    package init(limits: SchedulerLimits) {
        self.limits = limits
        pool = SlotPool(total: limits.slots, pageSize: limits.pageSize)
        tree = RadixTree(pageSize: limits.pageSize)
        windowPages = WindowPages(
            total: limits.window?.slots ?? 0, for: limits.window == nil ? 0 : limits.storeRows,
            pageSize: limits.pageSize)
        book = SlotBook(slots: limits.keepsBook && limits.usesPrefixCache ? limits.storeRows : 0)
        if book.isKept, limits.window != nil { windowPages.listChanges() }
        reserveRatio = ReserveRatio(conservativeness: limits.conservativeness)
        random = SplitMix64(seed: limits.seed)
    }

    /// Queues a request.
    package mutating func admit(_ request: ScheduledRequest) -> Admission {
        let most = limits.usableSlots - (limits.generates ? 1 : 0)
        guard request.promptCount <= limits.maxPromptLength, request.tokens.count <= most else {
            return .tooLong(limit: limits.maxPromptLength)
        }
        if limits.priorities == nil, limits.refusesPriorities, request.priority != nil { return .priorityRefused }
        var newcomer = request
        newcomer.rank = limits.priorities?.rank(request.priority) ?? 0
        var displaced: UInt64?
        // One request may wait however long it is: it could never come in otherwise.
        if let most = limits.maxQueuedTokens, !waiting.isEmpty, waitingTokens + request.tokens.count > most,
            !request.wasAccepted
        {
            return .queueFull
        }
        if let most = limits.maxQueued, waiting.count >= most, !request.wasAccepted {
            guard let row = displaceable(by: newcomer.rank) else { return .queueFull }
            displaced = table.rows[row].id
            leaveQueue(row)
            table.remove(row)
        }
        arrivals += 1
        newcomer.arrival = arrivals
        newcomer.prefillAtArrival = tally.prefilledTokens
        enqueue(table.add(newcomer))
        return displaced.map(Admission.queuedInPlaceOf) ?? .queued
    }

    /// The request with this id, while it waits or runs.
    package func request(_ id: UInt64) -> ScheduledRequest? { table.row(of: id).map { table.rows[$0] } }

    /// The request waits for its turn.
    package func isWaiting(_ id: UInt64) -> Bool { table.row(of: id).map { table.rows[$0].isWaiting } ?? false }

    /// Nothing waits and nothing runs.
    package var isIdle: Bool { table.isEmpty }

    /// The rows of the next step; nil when nothing can be computed.
    package mutating func nextBatch(_ terms: StepTerms = StepTerms()) -> Batch? {
        var batch = Batch()
        if !terms.holdsNewRequests { preemptForUrgent(&batch) }
        while true {
            makeRoomForDecode(&batch)
            fill(&batch, terms)
            if !batch.entries.isEmpty {
                reserveRatio.decay()
                tally.prefilledTokens += batch.prefillTokens
                tally.cachedTokens += batch.admittedCachedTokens
                return batch
            }
            // Unfinished prompts that hold all slots between them: the one that loses least makes room for the others.
            guard running.count > 1, let victim = cheapestVictim() else { break }
            batch.retracted.append(table.rows[victim].id)
            retract(victim)
        }
        reserveRatio.reset()
        return nil
    }

    /// Decoding requests first, then prompts under way, then new ones.
    private mutating func fill(_ batch: inout Batch, _ terms: StepTerms) {
        var budget = StepBudget(limits)
        batch.entries.reserveCapacity(running.count)
        let most = limits.cutsPrompts ? terms.promptTokensBesideDecoding.map { max(limits.pageSize, $0) } : nil
        var spare = min(budget.tokens, most ?? Int.max)
        for row in running where !table.rows[row].isPrefilling {
            if !terms.resting.isEmpty, terms.resting.contains(table.rows[row].id) { continue }
            // One row each is always there; what a commit of several tokens left takes from the prompts' share.
            let count = min(table.rows[row].uncomputed, 1 + spare)
            addRows(row, count: count, to: &batch)
            spare -= count - 1
            budget.tokens -= count - 1
            budget.logits -= 1
        }
        batch.decodingEntries = batch.entries.count
        budget.logits = max(1, budget.logits)
        if let most, !batch.entries.isEmpty {
            let left = most - (batch.rowCount - batch.entries.count)
            budget.tokens = min(budget.tokens, max(limits.pageSize, left / limits.pageSize * limits.pageSize))
        }
        budget.holdsLastTokens = terms.holdsLastTokens && limits.cutsPrompts
        for row in running where table.rows[row].isPrefilling {
            extendPrefill(row, &batch, &budget)
        }
        admitWaiting(&batch, &budget, onlyBegun: terms.holdsNewRequests)
        if budget.holdsLastTokens { completePrompts(&batch, &budget) }
    }

    /// Records that the entry's rows were computed, and the tokens that were chosen after them, if any. The next step computes these.
    ///
    /// A finished request leaves: what it computed stays cached, its slots and locks are given back.
    package mutating func commit(_ entry: Batch.Entry, tokens: ArraySlice<Int32>, finished: Bool) {
        guard let row = table.row(of: entry.id) else { return }
        write(entry, row)
        table.rows[row].computed = entry.start + entry.count
        let isFirst = table.rows[row].outputCount == 0 && !tokens.isEmpty
        if !tokens.isEmpty {
            table.rows[row].tokens.append(contentsOf: tokens)
            table.rows[row].fresh = tokens.count
        }
        if finished {
            retire(row)
        } else {
            if entry.count > 1 || isFirst { cache(row) }
            leaveBehindWindow(row)
        }
    }

    /// The prompt's log probabilities were delivered: a later retraction need not compute them again.
    package mutating func scored(_ id: UInt64) {
        if let row = table.row(of: id) { table.rows[row].scoredFrom = nil }
    }

    /// Ends a request wherever it is; false when it is unknown. What it computed alone is not kept.
    @discardableResult
    package mutating func abort(_ id: UInt64) -> Bool {
        guard let row = table.row(of: id) else { return false }
        if table.rows[row].isWaiting { leaveQueue(row) } else { leaveRunning(row) }
        table.remove(row)
        return true
    }

    /// Ends a request but keeps what it computed in the prefix cache: it comes again as another attempt.
    package mutating func withdraw(_ id: UInt64) {
        guard let row = table.row(of: id) else { return }
        cache(row)
        abort(id)
    }

    /// Takes the slots of every running request and queues them again (pause_generation with mode retract).
    package mutating func retractAll() {
        for row in running.reversed() { retract(row) }
    }

    /// Empties the prefix cache; false while requests wait or run.
    package mutating func flushCache() -> Bool {
        guard isIdle else { return false }
        giveBack(tree.evictAll()[...])
        return true
    }

    /// A request runs, or has output and waits to go on.
    package var hasBegun: Bool { !running.isEmpty || waiting.contains { table.rows[$0].outputCount > 0 } }

    /// Empties the prefix cache although requests wait; false while any run.
    package mutating func forgetPrefixes() -> Bool {
        guard running.isEmpty else { return false }
        giveBack(tree.evictAll()[...])
        return true
    }

    /// The counts now.
    package var counts: SchedulerCounts {
        SchedulerCounts(
            running: running.count, waiting: waiting.count, total: pool.total, free: pool.available,
            cached: tree.evictable, held: tree.protected + ownSlots, waitingTokens: waitingTokens,
            retractions: tally.retractions, window: limits.window == nil ? nil : windowCounts)
    }

    /// Share of the tokens still to be generated that is set aside at admission now.
    package var newTokenRatio: Double { reserveRatio.value }

    /// Tokens of all running requests.
    package var runningTokens: Int { running.reduce(0) { $0 + table.rows[$1].tokens.count } }

    /// Ids of everything that waits or runs.
    package var ids: [UInt64] { table.ids }
}

/// What is left of a step for prompts.
struct StepBudget {
    /// Prompt tokens.
    var tokens: Int
    /// Rows with logits.
    var logits: Int
    /// Requests that compute prompts.
    var requests: Int
    /// The last token of each prompt is left out at first.
    var holdsLastTokens = false

    init(_ limits: SchedulerLimits) {
        tokens = limits.chunkTokens
        logits = limits.logitRows
        requests = limits.prefillRequests ?? Int.max
    }

    /// Another prompt may have rows.
    var isOpen: Bool { tokens > 0 && logits > 0 && requests > 0 }
}
