package import KVCache
internal import Logging
package import Messages
internal import Models
package import Scheduling
package import Tensors

/// The model worker's thinking, as a value: commands come in, effects go out, and a step takes a model. It has no socket, no process, and
/// no clock but the moments that are handed in (monotonic seconds).
package struct Engine: ~Copyable {
    package let traits: EngineTraits
    package internal(set) var scheduler: Scheduler
    var requests: [UInt64: EngineRequest] = [:]
    /// Requests for vectors; a model answers one kind of requests only.
    var vectors: [UInt64: VectorRequest] = [:]
    /// Requests whose grammars are being compiled.
    var waiters: [UInt64: GrammarWaiter] = [:]
    var shelf = GrammarShelf()
    var grammarTally = GrammarTally()
    var control = ControlState()
    var changes: WeightChanges
    var statistics: StepStatistics
    var pieces: PromptPieces
    var pacing = PatternPacing()
    /// What is to be done, oldest first.
    private(set) var effects: [Effect] = []

    // What a step works with, kept from one to the next.
    var plan = BatchPlan()
    var sampler: Sampler
    let logits: AlignedBuffer
    var chosen: [Int32] = []
    /// The hidden state of the row that is being used.
    var hiddenRow: [Float]

    /// Records which experts rows take; nil where there are none, or nobody may ask.
    var recorder: ExpertRecorder?
    /// Which experts the tokens in the slots took; nil likewise.
    let routes: RouteMemory?

    /// There is no memory for what a step works with.
    package struct NoMemory: Error, CustomStringConvertible {
        let purpose: String
        package var description: String { "Not enough memory for \(purpose)." }
    }

    /// An engine without work.
    package init(_ traits: EngineTraits, compute: Compute, now: Double) throws(NoMemory) {
        let bytes = traits.logitRows * traits.task.width * MemoryLayout<Float>.size
        guard let logits = AlignedBuffer(byteCount: bytes) else { throw NoMemory(purpose: "the logits of a step") }
        var routes: RouteMemory?
        if traits.returnsRoutedExperts, let experts = traits.experts {
            routes = RouteMemory(experts, slots: traits.limits.storeRows)
            guard routes != nil else { throw NoMemory(purpose: "the experts of cached tokens") }
        }
        self.routes = routes
        recorder = traits.expertRecorderMode.flatMap { mode in
            traits.experts.map { ExpertRecorder(mode, $0, capacity: traits.expertRecorderBufferSize) }
        }
        self.traits = traits
        self.logits = logits
        scheduler = Scheduler(limits: traits.limits)
        changes = WeightChanges(traits.served)
        hiddenRow = Array(repeating: 0, count: max(1, traits.hiddenSize))
        sampler = Sampler(compute: compute, vocabularySize: traits.vocabularySize)
        statistics = StepStatistics(traits, now: now)
        pieces = PromptPieces(gap: traits.targetGap)
    }

    /// Obeys a command.
    package mutating func obey(_ command: WorkerCommand, now: Double) {
        switch command.command {
        case .generate(let generate): accept(generate, now: now)
        case .embeds(let list): for embed in list.requests { accept(embed, now: now) }
        case .abort(let abort): giveUp(abort)
        case .livingFronts(let living):
            for id in Array(requests.keys) + Array(vectors.keys) + Array(waiters.keys)
            where !living.generations.contains(FrontGeneration.of(id)) { drop(id) }
            emit(.detokenizer(.make { $0.livingFronts = living }))
        case .control(let call): answer(call, now: now)
        case nil: emit(.log(.error, "a worker command of an unknown kind was ignored"))
        }
    }

    /// Does what time alone makes due.
    package mutating func settle(now: Double) {
        settleFlush(now: now)
        settleChange()
        expire(now: now)
    }

    /// What the next step computes; nil when there is nothing to compute, or nothing may be.
    package mutating func nextBatch() -> Batch? {
        guard !isStopped else { return nil }
        var terms = StepTerms()
        terms.holdsNewRequests = changes.holdsNewRequests
        terms.promptTokensBesideDecoding = pieces.limit
        terms.holdsLastTokens = traits.generates && pieces.holdsLastTokens
        terms.resting = pacing.resting()
        return scheduler.nextBatch(terms)
    }

    /// Has the prefix cache go on with what an earlier worker left.
    ///
    /// - Returns: Tokens in the cache, and what is to be written down of them.
    package mutating func restore(_ image: SlotImage) -> (tokens: Int, changes: SlotChanges) {
        let tokens = scheduler.restore(image)
        return (tokens, scheduler.takeSlotChanges(settled: true))
    }

    /// What has changed in the slots, before a step writes into some of them (see `SlotBook.takeChanges`).
    package mutating func takeSlotChanges() -> SlotChanges { scheduler.takeSlotChanges() }

    /// What a step has changed in the slots; `isAlone`: by one rank.
    package mutating func takeSlotChanges(after batch: Batch, isAlone: Bool) -> SlotChanges {
        // Logits are of all ranks: whoever has them knows that the others are done with the step.
        let isMeeting = traits.generates && batch.entries.contains { $0.logitsFrom != nil }
        return scheduler.takeSlotChanges(atEndOfStep: true, settled: isAlone || isMeeting)
    }

    /// Whoever comes next has no use for what is in the prefix cache.
    package mutating func forgetBook() { scheduler.forgetBook() }

    /// The moment until which only a command gives it anything to do; infinity for ever, nil when there is work.
    package var restsUntil: Double? {
        guard scheduler.isIdle || isStopped else { return nil }
        // What waited for the last request is due now that there is none.
        if isChangeDue || control.flush != nil && scheduler.isIdle { return 0 }
        return control.flush?.until ?? .infinity
    }

    /// It waits for commands from now on.
    package mutating func rest(now: Double) {
        statistics.becameIdle(now: now)
        if scheduler.isIdle { pieces.rest() }
    }

    /// Seconds to sleep before each step, as an operator wants to see what that does.
    package var slowDown: Double { control.slowDown }

    /// Requests that wait and that run.
    package var load: (waiting: Int, running: Int) { (scheduler.counts.waiting, scheduler.counts.running) }

    /// Hands out what is to be done.
    package mutating func takeEffects() -> [Effect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    /// There is something to be done.
    package var hasEffects: Bool { !effects.isEmpty }

    mutating func emit(_ effect: Effect) { effects.append(effect) }
}
