package import Messages
package import Values

/// The requests that clients wait for, as a value: every event of the outside is a call, and what has to be done comes back.
///
/// A row is opened once and ended exactly once: by its last frame, by a failure, by an abort, or since nobody wants it any
/// more. Messages for ended rows, for older attempts and for output that is there already change nothing. The ledger has
/// no clock and no socket; `now` is in seconds since 1970.
package struct RequestLedger: Sendable {
    package internal(set) var rows: [UInt64: LedgerRow] = [:]
    package private(set) var openCount = 0
    /// Open rows that are parked.
    package internal(set) var parkedCount = 0
    /// What was counted of all rows so far.
    package private(set) var metrics: RequestMetrics
    var groups: [UInt64: Group] = [:]
    private var openRids: [ClientName: UInt64] = [:]
    let patience: Patience
    private let generation: UInt64
    private var counter: UInt64 = 0
    private(set) var pipe = PipeStatus()

    /// The rows of one HTTP request.
    struct Group {
        var rows: [UInt64]
        /// Rows with news that the handler has not seen, in the order in which they got them.
        var dirty: [UInt64] = []
        /// When the first of that news came.
        var dirtySince: Double?
    }

    /// `generation` is this front's: it makes ids unique over all incarnations.
    package init(
        generation: UInt64, patience: Patience = Patience(), metrics: RequestMetrics = RequestMetrics()
    ) {
        self.generation = generation
        self.patience = patience
        self.metrics = metrics
    }

    // MARK: Opening and closing

    /// Opens the rows of an HTTP request; their ids are the group's id and its followers.
    ///
    /// - Throws: `.invalid` when a request with such a rid is open, `.givenUp` when there is nobody to do the work.
    package mutating func open(_ openings: [Opening], now: Double) throws(RequestFailure) -> (
        group: UInt64, effects: [Effect]
    ) {
        if let failure = pipe.failure { throw .givenUp(failure) }
        for opening in openings where openRids[opening.rid] != nil {
            throw .invalid("Duplicate request ID detected: \(opening.rid)")
        }
        let group = FrontGeneration.base(generation) | (counter + 1)
        var effects: [Effect] = []
        var ids: [UInt64] = []
        for (index, opening) in openings.enumerated() {
            counter += 1
            let id = FrontGeneration.base(generation) | counter
            var row = LedgerRow(
                errand: opening.errand, rid: opening.rid, group: group, index: index,
                state: .held(.init(), since: now), times: RowTimes(received: now))
            row.isCounted = opening.isCounted
            row.errand.key = .make { $0.id = id }
            if pipe.isReady { effects += dispatch(&row, .init(), now: now) }
            rows[id] = row
            openRids[opening.rid] = id
            ids.append(id)
        }
        if openings.isEmpty { counter += 1 }
        groups[group] = Group(rows: ids)
        openCount += openings.count
        return (group, effects)
    }

    /// Forgets an HTTP request; rows that are still open are given up everywhere.
    package mutating func close(_ group: UInt64) -> [Effect] {
        guard let closed = groups.removeValue(forKey: group) else { return [] }
        var effects: [Effect] = []
        for id in closed.rows {
            guard let row = rows.removeValue(forKey: id), !row.isEnded else { continue }
            openRids[row.rid] = nil
            openCount -= 1
            if row.isParked { parkedCount -= 1 }
            metrics.abandoned(row)
            effects.append(.send(abortCommand(row, wantsAnswer: false)))
        }
        return effects
    }

    /// Rows of the group with news since the last call, in the order of the news; their cuts are handed over.
    package mutating func take(_ group: UInt64) -> [LedgerRow] {
        guard let ids = groups[group]?.dirty, !ids.isEmpty else { return [] }
        groups[group]?.dirty = []
        groups[group]?.dirtySince = nil
        return ids.compactMap { id in
            guard let row = rows[id] else { return nil }
            rows[id]?.cuts = []
            return row
        }
    }

    /// All rows of the group in the order of the answer.
    package func rows(of group: UInt64) -> [LedgerRow] { groups[group]?.rows.compactMap { rows[$0] } ?? [] }

    /// Whether the answer to the group is known: every row has ended, or one has failed. True for unknown groups.
    package func isSettled(_ group: UInt64) -> Bool {
        guard let ids = groups[group]?.rows else { return true }
        var isEnded = true
        for id in ids {
            switch rows[id]?.state {
            case .ended(.failed, _)?: return true
            case .ended?, nil: break
            case .held?, .dispatched?, .parked?: isEnded = false
            }
        }
        return isEnded
    }

    /// Whether the group is there.
    package func contains(_ group: UInt64) -> Bool { groups[group] != nil }

    /// Gives up what matches: rows whose rid begins with `prefix`, or all. Their clients still get an answer.
    package mutating func abort(prefix: ClientName?, now: Double) -> [Effect] {
        var effects: [Effect] = []
        for id in rows.keys.sorted() {
            guard let row = rows[id], prefix.map(row.rid.hasPrefix) ?? true else { continue }
            switch row.state {
            case .ended, .dispatched(_, _, .some): continue
            case .dispatched(let trials, let to, nil) where pipe.isReady:
                rows[id]?.state = .dispatched(trials, to: to, abortedAt: now)
                effects.append(.send(abortCommand(row, wantsAnswer: true)))
            case .held, .dispatched, .parked: effects += end(id, .finished(Self.aborted), now: now)
            }
        }
        return effects
    }

    /// The finish reason of a request that was told to stop.
    static let aborted = FinishReason.make { $0.aborted = .make { $0.message = "Aborted" } }

    // MARK: What the pipe says

    /// A frame of text arrived.
    package mutating func receive(_ batch: TextBatch, now: Double) -> [Effect] {
        guard batch.isConsistent else { return [] }
        var effects: [Effect] = []
        var start = 0
        var logprobs = batch.logprobs.makeIterator()
        var nextLogprobs = logprobs.next()
        var hidden = batch.hidden.makeIterator()
        var nextHidden = hidden.next()
        for entry in batch.requestIds.indices {
            let count = Int(batch.counts[entry])
            let ids = batch.ids[start..<start + count]
            start += count
            while let frame = nextLogprobs, frame.row < UInt32(entry) { nextLogprobs = logprobs.next() }
            let frame = nextLogprobs.flatMap { $0.row == UInt32(entry) ? $0 : nil }
            while let states = nextHidden, states.row < UInt32(entry) { nextHidden = hidden.next() }
            let states = nextHidden.flatMap { $0.row == UInt32(entry) ? $0 : nil }
            effects += receive(batch, entry, ids, RowExtras(logprobs: frame, hidden: states), now: now)
        }
        return effects
    }

    private mutating func receive(
        _ batch: TextBatch, _ entry: Int, _ ids: ArraySlice<Int32>, _ extras: RowExtras, now: Double
    ) -> [Effect] {
        let id = batch.requestIds[entry]
        guard var row = rows[id], !row.isEnded, batch.attempts[entry] == row.key.attempt else { return [] }
        let piece = RowOutput.Piece(
            offset: Int(batch.offsets[entry]), ids: ids, textOffset: Int(batch.textOffsets[entry]),
            text: batch.texts[entry].utf8)
        // The row leaves the table while its lists grow, so that they grow in place.
        rows[id] = nil
        let known = row.output.ids.count
        let appended = row.output.append(piece, extras)
        if appended == .gap {
            rows[id] = row
            return resubmit(id, now: now)
        }
        row.output.noteWeights(batch.weights, from: known)
        // The last word on an aborted row knows only that it ended.
        if batch.promptTokens[entry] > 0 {
            row.output.promptTokens = Int(batch.promptTokens[entry])
            row.output.retractions = Int(batch.retractions[entry])
            // A later attempt finds its own work in the cache.
            if known == 0 { row.output.cachedTokens = Int(batch.cachedTokens[entry]) }
        }
        if entry < batch.reasoningTokens.count {
            row.output.thinkingTokens = Int(batch.reasoningTokens[entry])
        }
        if let experts = batch.routedExperts.first(where: { $0.row == UInt32(entry) }) {
            row.output.routedExperts = experts.ids
        }
        metrics.progressed(row, fresh: row.output.ids.count - known, now: now)
        if row.times.firstFrame == 0 { row.times.firstFrame = now }
        row.times.lastFrame = now
        if appended == .progressed { row.note { $0.fruitless = 0 } }
        let finish = batch.finish[entry]
        let isOver = finish.reason != nil
        if row.errand.isStreamed, appended == .progressed || isOver { row.cut(limit: patience.waitingFrames) }
        rows[id] = row
        if isOver { return end(id, .finished(finish), now: now) }
        return row.errand.isStreamed && appended == .progressed ? mark(row, id, now: now) : []
    }

    /// A frame of vectors arrived: each ends its row.
    package mutating func receive(_ batch: VectorBatch, now: Double) -> [Effect] {
        guard batch.isConsistent else { return [] }
        var effects: [Effect] = []
        var start = 0
        for (entry, id) in batch.requestIds.enumerated() {
            let values = start..<start + Int(batch.counts[entry])
            start = values.upperBound
            guard var row = rows[id], !row.isEnded, batch.attempts[entry] == row.key.attempt else { continue }
            row.output.vector = Array(batch.values[values])
            if batch.sparse { row.output.vectorTokens = Array(batch.tokenIds[values]) }
            row.output.noteWeights(batch.weights)
            row.output.promptTokens = Int(batch.promptTokens[entry])
            row.output.cachedTokens = Int(batch.cachedTokens[entry])
            row.output.retractions = Int(batch.retractions[entry])
            metrics.answered(row, now: now)
            (row.times.firstFrame, row.times.lastFrame) = (now, now)
            rows[id] = row
            effects += end(id, .finished(.make { $0.length = 0 }), now: now)
        }
        return effects
    }

    /// A request was refused or given up.
    package mutating func receive(_ failure: Failure, now: Double) -> [Effect] {
        guard let row = rows[failure.key.id], !row.isEnded, failure.key.attempt == row.key.attempt else { return [] }
        return end(failure.key.id, .failed(.stage(StageRefusal(failure))), now: now)
    }

    /// The tokenizer manager says what ids a prompt became.
    package mutating func receive(_ prompt: PromptIDs) {
        guard let row = rows[prompt.key.id], prompt.key.attempt == row.key.attempt else { return }
        rows[prompt.key.id]?.output.promptIDs = prompt.ids
    }

    /// The detokenizer cannot continue these.
    package mutating func receive(_ request: Resubmit, now: Double) -> [Effect] {
        var effects: [Effect] = []
        for key in request.keys where rows[key.id]?.key.attempt == key.attempt { effects += resubmit(key.id, now: now) }
        return effects
    }

    // MARK: Who is there

    /// The launcher's table changed.
    package mutating func pipeChanged(to status: PipeStatus, now: Double) -> [Effect] {
        pipe = status
        if let failure = status.failure { return endAll(.givenUp(failure), now: now) }
        guard status.isReady else { return [] }
        var effects: [Effect] = []
        for id in rows.keys.sorted() {
            guard var row = rows[id] else { continue }
            switch row.state {
            case .ended, .parked: continue
            case .held: effects += resume(id, now: now)
            case .dispatched(_, let to, _) where to == status.incarnations: continue
            case .dispatched(var trials, let to, let abortedAt):
                if to.worker != status.incarnations.worker, status.workerCrashed {
                    trials.crashes += 1
                    row.state = .dispatched(trials, to: to, abortedAt: abortedAt)
                    rows[id] = row
                }
                effects +=
                    trials.crashes >= patience.crashes
                    ? end(id, .failed(.poisonous), now: now) : resubmit(id, now: now)
            }
        }
        return effects
    }

    /// Time passes: rows that waited too long end.
    package mutating func tick(now: Double) -> [Effect] {
        var effects: [Effect] = []
        for (id, row) in rows where !row.isEnded {
            if let limit = patience.request, now - row.times.received > limit {
                effects += [.send(abortCommand(row, wantsAnswer: false))]
                effects += end(id, .failed(row.output.ids.isEmpty ? .waitedTooLong : .ranTooLong), now: now)
            } else if case .dispatched(_, _, let aborted?) = row.state, now - aborted > patience.abort {
                effects += end(id, .finished(Self.aborted), now: now)
            } else if case .held(_, let since) = row.state, now - since > patience.held {
                effects += end(id, .failed(.notReady), now: now)
            }
        }
        return effects + parkBlocked(now: now)
    }

    /// Ends every open row with a failure, and its work.
    package mutating func endAll(_ failure: RequestFailure, now: Double) -> [Effect] {
        var effects: [Effect] = []
        for id in rows.keys.sorted() {
            guard let row = rows[id], !row.isEnded else { continue }
            effects.append(.send(abortCommand(row, wantsAnswer: false)))
            effects += end(id, .failed(failure), now: now)
        }
        return effects
    }

    // MARK: Steps

    private mutating func dispatch(_ row: inout LedgerRow, _ trials: LedgerRow.Trials, now: Double) -> [Effect] {
        row.state = .dispatched(trials, to: pipe.incarnations)
        if row.times.dispatched == 0 { row.times.dispatched = now }
        row.errand.stamp(now)
        return [.send(row.errand.command)]
    }

    /// Sends a held row down the pipe.
    mutating func resume(_ id: UInt64, now: Double) -> [Effect] {
        guard var row = rows[id], case .held(let trials, _) = row.state else { return [] }
        let effects = dispatch(&row, trials, now: now)
        rows[id] = row
        return effects
    }

    /// The next attempt of a row begins, with what it has.
    private mutating func resubmit(_ id: UInt64, now: Double) -> [Effect] {
        guard var row = rows[id] else { return [] }
        var trials: LedgerRow.Trials
        switch row.state {
        case .ended: return []
        case .dispatched(_, _, .some): return end(id, .finished(Self.aborted), now: now)
        case .held(let before, _), .dispatched(let before, _, nil), .parked(let before): trials = before
        }
        trials.fruitless += 1
        let lastProgress = max(row.times.lastFrame, row.times.received)
        if trials.fruitless > patience.fruitlessAttempts, now - lastProgress > patience.fruitlessSeconds {
            return end(id, .failed(.stuck), now: now)
        }
        metrics.resubmitted()
        row.errand.begin(after: row.output)
        row.state = .held(trials, since: now)
        let effects = pipe.isReady ? dispatch(&row, trials, now: now) : []
        rows[id] = row
        return effects
    }

    private mutating func end(_ id: UInt64, _ ending: RowEnding, now: Double) -> [Effect] {
        guard var row = rows[id], !row.isEnded else { return [] }
        if row.isParked { parkedCount -= 1 }
        row.state = .ended(ending, at: now)
        rows[id] = row
        openRids[row.rid] = nil
        openCount -= 1
        metrics.ended(row, ending, now: now)
        return mark(row, id, now: now)
    }

    private mutating func mark(_ row: LedgerRow, _ id: UInt64, now: Double) -> [Effect] {
        if groups[row.group]?.dirty.contains(id) == false { groups[row.group]?.dirty.append(id) }
        if groups[row.group]?.dirtySince == nil { groups[row.group]?.dirtySince = now }
        return [.wake(group: row.group)]
    }

    func abortCommand(_ row: LedgerRow, wantsAnswer: Bool) -> TokenizerCommand {
        .make {
            $0.abort = .make {
                $0.key = row.key
                $0.wantsAnswer = wantsAnswer
                $0.message = "Aborted"
            }
        }
    }
}
