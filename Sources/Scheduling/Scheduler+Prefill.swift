internal import DequeModule
internal import KVCache

/// Which prompts are computed in the rest of a step.
extension Scheduler {
    /// Below this it is quicker to compute shared tokens again than to wait for them (SGLang's in-batch threshold).
    private static let worthwhilePrefix = 32

    /// Adds rows of a request to the batch; its slots must be there or obtainable.
    @discardableResult
    mutating func addRows(_ row: Int, count: Int, to batch: inout Batch) -> Bool {
        guard grow(row, by: count) else { return false }
        batch.entries.append(entry(row, count: count))
        return true
    }

    /// The next rows of a request.
    private func entry(_ row: Int, count: Int) -> Batch.Entry {
        let start = table.rows[row].computed
        let end = start + count
        let yields = end == table.rows[row].tokens.count
        var logitsFrom: Int? = yields ? end - 1 : nil
        if let scored = table.rows[row].scoredFrom, scored < end, start < table.rows[row].promptCount {
            logitsFrom = max(scored, start)
        }
        return Batch.Entry(
            id: table.rows[row].id, start: start, count: count, logitsFrom: logitsFrom, yieldsToken: yields)
    }

    /// Computes the next chunk of an admitted prompt, as long as the budgets and the slots allow.
    mutating func extendPrefill(_ row: Int, _ batch: inout Batch, _ budget: inout StepBudget) {
        guard budget.requests > 0 else { return }
        let spare = pool.pageSpan(table.rows[row].slots.count) - table.rows[row].slots.count
        // One that came back to find all but its last token cached decodes.
        let holds = budget.holdsLastTokens && table.rows[row].isPrefilling
        let wanted = table.rows[row].uncomputed - (holds ? 1 : 0)
        var count = min(wanted, budget.tokens, min(obtainable, windowObtainable) + spare)
        if let scored = table.rows[row].scoredFrom {
            // Rows before the scored part cost no logits.
            count = min(count, max(0, scored - table.rows[row].computed) + budget.logits)
        } else if budget.logits == 0 {
            return
        }
        guard count > 0, addRows(row, count: count, to: &batch) else { return }
        budget.tokens -= count
        budget.logits -= batch.entries[batch.entries.count - 1].logitRows
        budget.requests -= 1
        batch.prefillTokens += count
    }

    /// Where a step has room left no more prompts are to come: those that were held at their last token are computed to their end.
    mutating func completePrompts(_ batch: inout Batch, _ budget: inout StepBudget) {
        for row in running where table.rows[row].isPrefilling {
            guard budget.tokens > 0, budget.logits > 0 else { return }
            let id = table.rows[row].id
            let place = batch.entries.firstIndex { $0.id == id }
            let planned = place.map { batch.entries[$0].count } ?? 0
            guard planned == table.rows[row].uncomputed - 1 else { continue }
            guard place != nil || budget.requests > 0, grow(row, by: 1) else { continue }
            let whole = entry(row, count: planned + 1)
            if let place {
                batch.entries[place] = whole
            } else {
                batch.entries.append(whole)
                budget.requests -= 1
            }
            budget.tokens -= 1
            budget.logits -= 1
            batch.prefillTokens += 1
        }
    }

    /// Admits waiting requests in the policy's order while slots, rows and budgets allow.
    mutating func admitWaiting(_ batch: inout Batch, _ budget: inout StepBudget, onlyBegun: Bool = false) {
        guard !waiting.isEmpty, budget.isOpen, running.count < limits.maxRunning else { return }
        for row in admissionOrder() {
            guard budget.isOpen, running.count < limits.maxRunning else { return }
            if onlyBegun, table.rows[row].outputCount == 0 { continue }
            if sharesPrefixUnderWay(row) { continue }
            let rest = table.rows[row].tokens.count - cachedLength(row)
            guard limits.cutsPrompts || rest <= budget.tokens || batch.prefillTokens == 0, tryAdmit(row) else { return }
            batch.admitted.append(table.rows[row].id)
            batch.admittedCachedTokens += table.rows[row].computed
            extendPrefill(row, &batch, &budget)
        }
    }

    /// Slots that a waiting request needs beyond what it finds in the cache: its prompt, what it may generate, and a page.
    func need(_ row: Int, cached: Int) -> Int {
        let output = min(table.rows[row].remaining, ReserveRatio.longestEstimate)
        return pool.pageSpan(table.rows[row].tokens.count - cached + output) + limits.pageSize
    }

    /// Slots that are set aside for a running request beyond those it holds.
    func reserve(_ row: Int) -> Int {
        let held = table.rows[row].slots.count
        return pool.pageSpan(held + reserveRatio.reserve(table.rows[row])) - pool.pageSpan(held)
    }

    /// Locks the cached prefix of a waiting request and makes it a running one, if all it may need fits beside the others.
    private mutating func tryAdmit(_ row: Int) -> Bool {
        let reserved = running.reduce(0) { $0 + reserve($1) }
        // Alone it may use everything: its length was cut to the pool when it was queued.
        let isAlone = running.isEmpty
        guard isAlone || need(row, cached: cachedLength(row)) + reserved <= obtainable && hasWindowRoom(for: row) else {
            return false
        }
        var match: RadixTree.Match?
        if limits.usesPrefixCache, table.rows[row].matchable > 0 {
            match = prefix(of: row)
        }
        if let match { tree.lock(match.node) }
        let cached = match?.slots.count ?? 0
        guard isAlone || need(row, cached: cached) + reserved <= obtainable else {
            if let match { tree.unlock(match.node) }
            return false
        }
        leaveQueue(row)
        table.rows[row].slots = match?.slots ?? []
        table.rows[row].computed = cached
        table.rows[row].treeOwned = cached
        table.rows[row].lockedNode = match?.node
        if !table.rows[row].wasAdmitted {
            table.rows[row].cachedTokens = min(cached, table.rows[row].promptCount)
            table.rows[row].wasAdmitted = true
        }
        running.append(row)
        return true
    }

    /// A running prompt is just computing a prefix that this request could take from the cache in a later step.
    mutating func sharesPrefixUnderWay(_ row: Int) -> Bool {
        guard limits.usesPrefixCache, table.rows[row].matchable >= Self.worthwhilePrefix else { return false }
        var shared = 0
        for other in running
        where table.rows[other].isPrefilling && table.rows[other].namespace == table.rows[row].namespace {
            let common = commonPrefix(
                table.rows[other].tokens, table.rows[row].tokens[..<table.rows[row].matchable])
            shared = max(shared, pool.wholePages(common))
        }
        guard shared >= Self.worthwhilePrefix else { return false }
        return shared - cachedLength(row) >= Self.worthwhilePrefix
    }
}
