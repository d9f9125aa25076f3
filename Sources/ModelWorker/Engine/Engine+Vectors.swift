internal import Messages
internal import Models
internal import Scheduling
internal import Tensors
internal import Values

extension EmbedIDs {
    /// Where a prompt may find its prefix: ids of other types leave other keys and values behind.
    fileprivate func prefixNamespace(telling typeCount: Int) -> ClientName {
        guard typeCount > 1, !types.isEmpty else { return ClientName(options.cacheKey) }
        // The separator cannot be part of a key that a client sends alone.
        let runs = types.map { "\($0.type)x\($0.count)" }.joined(separator: ",")
        return ClientName(options.cacheKey + "\u{0}\u{0}" + runs)
    }
}

/// Requests for vectors: each is over with the step that computes the end of its prompt.
extension Engine {
    /// Queues a request; one with the same id and an older attempt makes way for it.
    mutating func accept(_ command: EmbedIDs, now: Double) {
        guard makesWay(for: command.key) else { return }
        do throws(Refusal) {
            guard !traits.generates else { throw Refusal(message: KindMismatch.noEmbedder, status: 400) }
            try check(prompt: command.prompt)
            let request = VectorRequest(command, telling: traits.tokenTypeCount, now: now)
            guard request.types.isEmpty || request.types.count == command.prompt.count,
                request.types.allSatisfy({ (0..<Int32(traits.tokenTypeCount)).contains($0) })
            else { throw Refusal(message: "The tokenizer's token types are not those of the model.", status: 400) }
            try check(dimensions: Int(command.dimensions))
            try queue(
                ScheduledRequest(
                    id: command.key.id, prompt: command.prompt, maxNewTokens: 0,
                    namespace: command.prefixNamespace(telling: traits.tokenTypeCount),
                    priority: command.options.hasPriority ? command.options.priority : nil,
                    routingKey: ClientName(command.options.routingKey), wasAccepted: command.key.attempt > 0))
            vectors[command.key.id] = request
        } catch { refuse(command.key, error) }
    }

    /// The front has checked them as well, once it knew what the model is.
    private func check(dimensions: Int) throws(Refusal) {
        guard dimensions > 0 else { return }
        let (sizes, width) = (traits.task.matryoshka, traits.task.width)
        guard let sizes, dimensions <= width, sizes.isEmpty || sizes.contains(dimensions) else {
            throw Refusal(message: "The model has no vectors of \(dimensions) dimensions.", status: 400)
        }
    }

    /// Takes the step's vectors and hands them to the fronts in one message.
    mutating func takeVectors(_ batch: Batch, from model: some StepModel) {
        var told = VectorBatch.make {
            $0.weights = changes.served.number
            $0.sparse = traits.task.isSparse
        }
        let width = traits.task.width
        let rows = logits.bound(to: Float.self)
        var done = 0
        while done < plan.targets.count {
            let block = done..<min(plan.targets.count, done + traits.logitRows)
            model.logits(block, into: rows)
            for index in block {
                let row = UnsafeMutableBufferPointer(start: rows + (index - done) * width, count: width)
                take(row, batch.entries[plan.targets[index].entry], &told)
            }
            done = block.upperBound
        }
        if !told.requestIds.isEmpty { emit(.front(.make { $0.vectors = told })) }
    }

    private mutating func take(
        _ row: UnsafeMutableBufferPointer<Float>, _ entry: Batch.Entry, _ told: inout VectorBatch
    ) {
        if let request = vectors[entry.id], let scheduled = scheduler.request(entry.id) {
            let known = told.values.count
            if traits.task.isSparse {
                let tokens = scheduled.tokens[..<scheduled.promptCount]
                let vector = SparseVector(tokens, weights: row, without: traits.task.silentTokens)
                told.tokenIds.append(contentsOf: vector.tokens)
                told.values.append(contentsOf: vector.weights)
            } else {
                let count = request.dimensions > 0 ? min(request.dimensions, row.count) : row.count
                let vector = UnsafeMutableBufferPointer(rebasing: row[..<count])
                if traits.task.normalizes { Self.normalize(vector) }
                told.values.append(contentsOf: vector)
            }
            told.requestIds.append(request.key.id)
            told.attempts.append(request.key.attempt)
            told.counts.append(UInt32(told.values.count - known))
            told.promptTokens.append(UInt32(scheduled.promptCount))
            told.cachedTokens.append(UInt32(scheduled.cachedTokens))
            told.retractions.append(UInt32(scheduled.retractions))
            forget(entry.id)
        }
        scheduler.commit(entry, tokens: [], finished: true)
    }

    /// Makes a vector one of length 1; one without a length stays as it is.
    private static func normalize(_ vector: UnsafeMutableBufferPointer<Float>) {
        var squares = 0.0
        for value in vector { squares += Double(value) * Double(value) }
        guard squares > 0, squares.isFinite else { return }
        let factor = 1 / squares.squareRoot()
        for index in vector.indices { vector[index] = Float(Double(vector[index]) * factor) }
    }
}
