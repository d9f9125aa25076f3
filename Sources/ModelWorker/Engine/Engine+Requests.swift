internal import Messages
internal import Scheduling
internal import Values

/// How requests come and go.
extension Engine {
    /// Queues a request; one with the same id and an older attempt makes way for it.
    mutating func accept(_ command: GenerateIDs, now: Double, behindGrammar: Bool = false) {
        guard makesWay(for: command.key) else { return }
        // What it has was generated with weights that nobody wanted to be mixed with others.
        if !command.resumedIds.isEmpty, !changes.continues(command.resumedWeights) {
            return refuse(command.key, Refusal(message: Self.weightsChanged, status: 503))
        }
        let room = scheduler.limits.maxRequestLength - command.prompt.count - 1
        let asked = command.sampling.maxNewTokens < 0 ? Int.max : Int(command.sampling.maxNewTokens)
        let limit = max(0, min(asked, room))
        do {
            guard traits.generates else { throw Refusal(message: KindMismatch.noGenerator, status: 400) }
            guard let grammar = try grammar(of: command, now: now, isAwaited: behindGrammar) else { return }
            let chooser = try TokenChooser(
                command, maxNewTokens: limit, endIDs: traits.endIDs, vocabularySize: traits.vocabularySize,
                grammar: grammar)
            try queue(
                command, limit: limit, EngineRequest(command, chooser: chooser, hiddenSize: traits.hiddenSize, now: now)
            )
        } catch let refusal as Refusal {
            refuse(command.key, refusal)
        } catch {
            refuse(command.key, Refusal(message: "\(error)", status: 400))
        }
    }

    private static let weightsChanged =
        "The weights of the model were changed while this answer was interrupted: it cannot go on with others."

    /// Takes what is there of a request back from the scheduler when a newer attempt comes; false when it is not newer.
    mutating func makesWay(for key: RequestKey) -> Bool {
        guard let old = held(key.id) else { return true }
        guard old.key.attempt < key.attempt else { return false }
        scheduler.withdraw(key.id)
        forget(key.id)
        return true
    }

    private mutating func queue(_ command: GenerateIDs, limit: Int, _ request: EngineRequest) throws(Refusal) {
        if command.hasVectors { try check(command.vectors) }
        try check(prompt: command.prompt)
        try checkExperts(command)
        let scheduled = ScheduledRequest(
            id: command.key.id, prompt: command.prompt, output: command.resumedIds, maxNewTokens: limit,
            scoredFrom: command.options.hiddenStates == .everyRow ? 0 : request.logprobStart,
            namespace: ClientName(command.options.cacheKey),
            priority: command.options.hasPriority ? command.options.priority : nil,
            routingKey: ClientName(command.options.routingKey), wasAccepted: command.key.attempt > 0)
        try queue(scheduled)
        requests[command.key.id] = request
    }

    /// Refuses ids that the model does not have.
    func check(prompt: [Int32]) throws(Refusal) {
        let size = traits.vocabularySize
        for id in prompt where id < 0 || Int(id) >= size {
            throw Refusal(
                message: "input_ids contains out-of-vocabulary token id \(id); valid range is [0, \(size)).",
                status: 400)
        }
        guard !prompt.isEmpty else { throw Refusal(message: "input_ids cannot be empty.", status: 400) }
    }

    /// Hands a request to the scheduler; one whose place it takes is told so.
    mutating func queue(_ scheduled: ScheduledRequest) throws(Refusal) {
        switch scheduler.admit(scheduled) {
        case .queued: break
        case .queuedInPlaceOf(let id):
            guard let displaced = held(id) else { return }
            forget(id)
            refuse(
                displaced.key,
                Refusal(message: "The request is aborted by a higher priority request.", status: 503))
        case .priorityRefused:
            let text = "Using priority is disabled for this server. Please send a new request without a priority."
            throw Refusal(message: text, status: 503)
        case .queueFull:
            throw Refusal(message: "The request queue is full.", status: 503)
        case .tooLong(let limit):
            // What an earlier attempt generated counts too: after a restart the pool may be smaller.
            let text =
                "Input length (\(scheduled.tokens.count) tokens) exceeds the maximum allowed length (\(limit) tokens). "
                + "Use a shorter input or enable --allow-auto-truncate."
            throw Refusal(message: text, status: 400)
        }
    }

    /// Vectors must be of the model's width, and nobody may take what they leave behind for that of tokens.
    private func check(_ vectors: PromptVectors) throws(Refusal) {
        guard !scheduler.limits.usesPrefixCache else {
            throw Refusal(
                message: "input_embeds needs a server that was started with --disable-radix-cache.", status: 400)
        }
        guard Int(vectors.width) == traits.hiddenSize else {
            let text = "input_embeds has vectors of \(vectors.width) numbers; the model's have \(traits.hiddenSize)."
            throw Refusal(message: text, status: 400)
        }
    }

    /// What a request asks about experts can be told.
    private func checkExperts(_ command: GenerateIDs) throws(Refusal) {
        guard command.options.hasRoutedExpertsFrom else { return }
        guard routes != nil else {
            let text = "return_routed_experts needs a model with experts; this one has none."
            throw Refusal(message: text, status: 400)
        }
        guard command.options.routedExpertsFrom <= UInt32(command.prompt.count) else {
            let text =
                "routed_experts_start_len must be in [0, \(command.prompt.count)], got "
                + "\(command.options.routedExpertsFrom)."
            throw Refusal(message: text, status: 400)
        }
    }

    mutating func refuse(_ key: RequestKey, _ refusal: Refusal) {
        emit(
            .front(
                .make {
                    $0.failure = .make {
                        $0.key = key
                        $0.message = refusal.message
                        $0.statusCode = refusal.status
                        $0.errorType = refusal.status == 400 ? "BadRequestError" : "ServiceUnavailableError"
                        $0.fromWorker = true
                    }
                }))
    }

    /// Ends a request on the client's behalf; the detokenizer drops its state behind the frames that are under way.
    mutating func giveUp(_ abort: Abort) {
        if let request = held(abort.key.id), request.key.attempt > abort.key.attempt { return }
        var last = abort
        if last.message.isEmpty {
            let waits = scheduler.isWaiting(abort.key.id) || waiters[abort.key.id] != nil
            last.message = waits ? "Abort in waiting queue" : "Aborted"
        }
        drop(abort.key.id)
        if traits.generates {
            emit(.detokenizer(.make { $0.abort = last }))
        } else if last.wantsAnswer {
            // Nobody but the front knows of such a request.
            emit(.front(.make { $0.text = TextBatch(ending: last) }))
        }
    }

    /// Ends requests that waited or ran for longer than the operator allows.
    mutating func expire(now: Double) {
        guard traits.timeouts.isSet else { return }
        for request in heldRequests {
            guard let message = traits.timeouts.complaint(request, now: now) else { continue }
            giveUp(
                .make {
                    $0.key = request.key
                    $0.wantsAnswer = true
                    $0.message = message
                    $0.statusCode = 503
                })
        }
    }

    /// Forgets a request.
    mutating func drop(_ id: UInt64) {
        scheduler.abort(id)
        forget(id)
    }
}

extension Engine {
    /// What is there of a request.
    func held(_ id: UInt64) -> (any HeldRequest)? { requests[id] ?? vectors[id] ?? waiters[id] }

    /// All that is there.
    var heldRequests: [any HeldRequest] {
        Array(requests.values) as [any HeldRequest] + Array(vectors.values) + Array(waiters.values)
    }

    mutating func forget(_ id: UInt64) {
        requests[id] = nil
        vectors[id] = nil
        waiters[id] = nil
        pacing.forget(id)
    }
}

/// Why a request is not taken.
struct Refusal: Error {
    let message: String
    let status: Int32
}
