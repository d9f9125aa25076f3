internal import Messages
internal import Models
package import Scheduling
internal import Tensors

/// One step: forward, then a token for each request whose rows reach its end.
extension Engine {
    /// Computes a batch that `nextBatch` gave. The step began `now`; `stepped` tells when it was over.
    package mutating func step(_ batch: Batch, on model: some StepModel, now: Double) {
        statistics.began(now: now)
        noteAdmissions(batch, now: now)
        restartScores(batch)
        plan.prepare(batch, scheduler, keepsEveryRow: tracksExperts)
        addVectors(batch)
        plan.setTypes(batch, vectors)
        if traits.task.passesOverPrompt { plan.setLeadingRows(batch, vectors) }
        model.forward(plan.input)
        noteExperts(on: model)
        if traits.generates { takeTokens(batch, from: model) } else { takeVectors(batch, from: model) }
        model.endStep()
        for entry in batch.entries where !entry.yieldsToken { scheduler.commit(entry, tokens: [], finished: false) }
    }

    /// Uses the step's logits, and tells what came of them.
    private mutating func takeTokens(_ batch: Batch, from model: some StepModel) {
        var frames = TokenFrames(generation: traits.generation, weights: changes.served.number)
        let size = traits.vocabularySize
        let rows = logits.bound(to: Float.self)
        var done = 0
        while done < plan.targets.count {
            let block = done..<min(plan.targets.count, done + traits.logitRows)
            model.logits(block, into: rows)
            for index in block {
                let row = UnsafeMutableBufferPointer(start: rows + (index - done) * size, count: size)
                let target = plan.targets[index]
                if requests[batch.entries[target.entry].id]?.hidden != nil {
                    hiddenRow.withUnsafeMutableBufferPointer {
                        model.hiddenStates(index..<index + 1, into: $0.baseAddress!)
                    }
                }
                // Committed here, where nothing else holds the request's tokens: the new ones are appended without a copy.
                if let isOver = use(row, target, batch, &frames) {
                    statistics.yielded(chosen.count, decoding: target.entry < batch.decodingEntries)
                    scheduler.commit(batch.entries[target.entry], tokens: chosen[...], finished: isOver)
                }
            }
            done = block.upperBound
        }
        if !frames.isEmpty { emit(.detokenizer(.make { $0.tokens = frames.batch })) }
    }

    /// The step of a batch was over `now`.
    package mutating func stepped(_ batch: Batch, now: Double) {
        pieces.stepped(batch, seconds: statistics.secondsOfStep(now: now))
        for line in statistics.stepped(batch, scheduler.counts, now: now) { emit(line) }
    }

    /// Puts the vectors of prompts that are none of tokens into the step.
    private mutating func addVectors(_ batch: Batch) {
        for (index, entry) in batch.entries.enumerated() {
            guard let request = requests[entry.id], !request.vectors.isEmpty else { continue }
            plan.add(request.vectors, width: traits.hiddenSize, entry: index, entry)
        }
    }

    /// Keeps when requests began to run.
    private mutating func noteAdmissions(_ batch: Batch, now: Double) {
        for id in batch.admitted {
            guard let request = held(id), request.admitted == nil else { continue }
            requests[id]?.admitted = now
            vectors[id]?.admitted = now
            statistics.admitted(after: now - request.arrived)
        }
    }

    /// Prompts that are scored from the start of this step's rows begin their list anew.
    private mutating func restartScores(_ batch: Batch) {
        for entry in batch.entries {
            guard let scheduled = scheduler.request(entry.id), let scored = scheduled.scoredFrom,
                entry.logitsFrom == scored,
                entry.start <= scored
            else { continue }
            requests[entry.id]?.hidden?.startInput()
            guard let first = requests[entry.id]?.logprobStart, first < scheduled.promptCount else { continue }
            requests[entry.id]?.chooser.logprobs?.startInput(prompt: scheduled.tokens[first..<scheduled.promptCount])
        }
    }

    /// Uses one row of logits: to score the prompt's next token, to choose the output's next tokens, or both.
    ///
    /// - Returns: Whether the request is over with what `chosen` holds now; nil when nothing was to be chosen.
    private mutating func use(
        _ row: UnsafeMutableBufferPointer<Float>, _ target: BatchPlan.LogitTarget, _ batch: Batch,
        _ frames: inout TokenFrames
    ) -> Bool? {
        let entry = batch.entries[target.entry]
        guard let scheduled = scheduler.request(entry.id), requests[entry.id] != nil else { return nil }
        let isLast = target.position == scheduled.tokens.count - 1
        if requests[entry.id]!.chooser.logprobs != nil, isLast ? scheduled.outputCount == 0 : true {
            let scored = LogitRow(row, inverseTemperature: 1, compute: sampler.compute)
            if isLast {
                requests[entry.id]!.chooser.logprobs!.addLastInput(scored)
            } else if target.position + 1 < scheduled.promptCount,
                target.position >= requests[entry.id]!.logprobStart ?? Int.max
            {
                requests[entry.id]!.chooser.logprobs!.addInput(scored, token: scheduled.tokens[target.position + 1])
            }
        }
        if !isLast, target.position + 1 < scheduled.promptCount {
            hiddenRow.withUnsafeBufferPointer { requests[entry.id]!.hidden?.addInput($0.baseAddress!) }
        }
        return isLast ? choose(entry.id, scheduled, row, &frames) : nil
    }

    private mutating func keep(_ request: EngineRequest, _ id: UInt64) {
        if let order = request.chooser.foresight { emit(.prepareMask(order)) }
        if let cost = request.chooser.patternCost { pacing.note(id, cost: cost) }
        requests[id] = request
    }

    /// Chooses the next tokens of a request, none where it asked for none, and tells who needs to know; whether it is over.
    private mutating func choose(
        _ id: UInt64, _ scheduled: ScheduledRequest, _ row: UnsafeMutableBufferPointer<Float>,
        _ frames: inout TokenFrames
    ) -> Bool {
        var request = requests.removeValue(forKey: id)!
        var choice = request.chooser.choose(
            from: row, after: scheduled.tokens, promptCount: scheduled.promptCount, with: &sampler,
            tokenizer: traits.tokenizer)
        chosen.removeAll(keepingCapacity: true)
        if let token = choice.token {
            chosen.append(token)
            hiddenRow.withUnsafeBufferPointer { request.hidden?.addOutput($0.baseAddress!) }
        }
        if choice.finish == nil, request.hidden == nil {
            choice.finish = request.chooser.jump(
                &chosen, after: scheduled.tokens, promptCount: scheduled.promptCount, tokenizer: traits.tokenizer)
        }
        request.unsent.append(contentsOf: chosen)
        let isOver = choice.finish != nil
        if request.isFrameDue(finished: isOver) {
            frames.add(&request, scheduled, finish: choice.finish, idsOnly: traits.tokenizer == nil)
            if isOver, let experts = routedExperts(request, scheduled) { frames.addExperts(experts) }
            scheduler.scored(id)
        }
        if isOver { pacing.forget(id) } else { keep(request, id) }
        return isOver
    }
}
