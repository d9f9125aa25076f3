internal import KVCache

/// Which prompts are computed in the rest of a step.
extension Scheduler {
    /// Adds rows of a request to the batch; its slots must be there or obtainable.
    @discardableResult
    mutating func addRows(_ id: UInt64, count: Int, to batch: inout Batch) -> Bool {
        guard grow(id, by: count) else { return false }
        let request = requests[id]!
        let end = request.computed + count
        let yields = end == request.tokens.count
        var logitsFrom: Int? = yields ? end - 1 : nil
        if let scored = request.scoredFrom, scored < end, request.computed < request.promptCount {
            logitsFrom = max(scored, request.computed)
        }
        batch.entries.append(
            Batch.Entry(id: id, start: request.computed, count: count, logitsFrom: logitsFrom, yieldsToken: yields))
        return true
    }

    /// Computes the next chunk of an admitted prompt, as long as the budgets and the slots allow.
    mutating func extendPrefill(_ id: UInt64, _ batch: inout Batch, _ budget: inout Int, _ logitBudget: inout Int) {
        let request = requests[id]!
        var count = min(request.uncomputed, budget, obtainable)
        if let scored = request.scoredFrom {
            // Rows before the scored part cost no logits.
            count = min(count, max(0, scored - request.computed) + logitBudget)
        } else if logitBudget == 0 {
            return
        }
        guard count > 0, addRows(id, count: count, to: &batch) else { return }
        budget -= count
        logitBudget -= batch.entries[batch.entries.count - 1].logitRows
        batch.prefillTokens += count
    }

    /// Admits waiting requests in the policy's order while slots, rows and budgets allow.
    mutating func admitWaiting(_ batch: inout Batch, _ budget: inout Int, _ logitBudget: inout Int) {
        guard !waiting.isEmpty else { return }
        for id in orderedWaiting() {
            guard budget > 0, logitBudget > 0, running.count < limits.maxRunning else { return }
            if sharesPrefixUnderWay(id) { continue }
            guard tryAdmit(id) else { return }
            batch.admitted.append(id)
            batch.admittedCachedTokens += requests[id]!.computed
            extendPrefill(id, &batch, &budget, &logitBudget)
        }
    }

    /// Locks the cached prefix of a waiting request and makes it a running one, if all it may need fits beside the others.
    private mutating func tryAdmit(_ id: UInt64) -> Bool {
        let request = requests[id]!
        let prefix = matchedPrefix(request)
        if let prefix { tree.lock(prefix.node) }
        let cached = prefix?.slots.count ?? 0
        let need = request.tokens.count - cached + min(request.remaining, ReserveRatio.longestEstimate) + 1
        let reserved = running.reduce(0.0) { sum, other in
            let running = requests[other]!
            return sum + Double(min(running.remaining, ReserveRatio.longestEstimate)) * reserveRatio.value
                + Double(running.isPrefilling ? running.uncomputed : 0)
        }
        // Alone it may use everything: its length was cut to the pool when it was queued.
        guard running.isEmpty || Double(need) + reserved <= Double(obtainable) else {
            if let prefix { tree.unlock(prefix.node) }
            return false
        }
        requests[id]!.slots = prefix?.slots ?? []
        requests[id]!.computed = cached
        requests[id]!.treeOwned = cached
        requests[id]!.lockedNode = prefix?.node
        if !request.wasAdmitted {
            requests[id]!.cachedTokens = min(cached, request.promptCount)
            requests[id]!.wasAdmitted = true
        }
        waiting.removeAll { $0 == id }
        running.append(id)
        return true
    }

    /// The cached prefix a request can use: never its last token, whose logits are needed, nor anything from the first scored position on.
    private mutating func matchedPrefix(_ request: ScheduledRequest) -> RadixTree.Match? {
        guard limits.usesPrefixCache else { return nil }
        let most = min(request.tokens.count - 1, request.scoredFrom ?? Int.max)
        guard most > 0 else { return nil }
        let match = tree.match(request.tokens[..<most], namespace: request.namespace)
        return match.slots.isEmpty ? nil : match
    }

    /// The waiting requests in the order of the policy; the retracted come first in any.
    private mutating func orderedWaiting() -> [UInt64] {
        let ids = Array(waiting)
        // Matching every waiting prompt costs more than it gains when the queue is long (SGLang's limit).
        guard limits.policy == .lpm, limits.usesPrefixCache, ids.count <= 128 else { return ids }
        let lengths = ids.map { id -> Int in
            let request = requests[id]!
            return request.retractions > 0 ? Int.max : matchedPrefix(request)?.slots.count ?? 0
        }
        return ids.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }.map { ids[$0] }
    }

    /// A running prompt is just computing a prefix that this request could take from the cache in a later step.
    private mutating func sharesPrefixUnderWay(_ id: UInt64) -> Bool {
        guard limits.usesPrefixCache else { return false }
        let request = requests[id]!
        let most = min(request.tokens.count - 1, request.scoredFrom ?? Int.max)
        let shared = running.reduce(0) { longest, other in
            let running = requests[other]!
            guard running.isPrefilling, running.namespace == request.namespace else { return longest }
            return max(longest, commonPrefix(running.tokens, request.tokens[..<most]))
        }
        // Below this it is quicker to compute the tokens again (SGLang's in-batch threshold).
        let worthwhile = 32
        guard shared >= worthwhile else { return false }
        return shared - (matchedPrefix(request)?.slots.count ?? 0) >= worthwhile
    }
}
