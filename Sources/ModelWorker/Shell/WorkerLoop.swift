internal import ChildRuntime
internal import Logging
internal import Messages
internal import Models
internal import Scheduling
internal import ServerSettings
internal import Tensors
internal import Tokenizers
internal import Transport

/// The model worker's only loop: receive, schedule, forward, send. Read this first.
struct WorkerLoop: ~Copyable {
    let identity: ChildIdentity
    let model: any LanguageModel
    let compute: Compute
    /// The other ranks, if there are any.
    let link: RankLink?
    let tokenizer: Tokenizer?
    let endIDs: [Int32]
    let stamp: ProgressStamp
    let log: Logger
    let timeouts = RequestTimeouts()
    var scheduler: Scheduler
    var requests: [UInt64: WorkerRequest] = [:]
    var plan = BatchPlan()
    var sampler: Sampler
    var logits: AlignedBuffer
    var control = ControlState()
    var statistics: StepStatistics
    let commands: PullSocket<WorkerCommand>
    let detokenizer: PushSocket<DetokenizerCommand>
    let fronts: FrontPipes

    init(
        identity: ChildIdentity, settings: ServerSettings, loaded: LoadedModel, tokenizer: Tokenizer?, endIDs: [Int32],
        stamp: ProgressStamp, log: Logger, context: Context, board: FrontBoard
    ) throws {
        let model = loaded.model
        let rows = model.limits.logitRows
        guard let buffer = AlignedBuffer(byteCount: rows * model.config.vocabularySize * MemoryLayout<Float>.size)
        else {
            throw StartError.noRoom(weights: loaded.weightBytes, available: 0)
        }
        let folder = identity.runDirectory
        let detokenizer = try PushSocket<DetokenizerCommand>(
            connecting: Endpoint(.detokenizer, in: folder), in: context)
        let commands = try PullSocket<WorkerCommand>(binding: Endpoint(.scheduler, in: folder), in: context)
        self.identity = identity
        self.model = model
        compute = loaded.compute
        link = loaded.link
        self.tokenizer = tokenizer
        self.endIDs = endIDs
        self.stamp = stamp
        self.log = log
        scheduler = Scheduler(limits: loaded.limits)
        sampler = Sampler(compute: loaded.compute, vocabularySize: model.config.vocabularySize)
        logits = buffer
        statistics = StepStatistics(
            weightBytes: loaded.weightBytes, kvBytes: loaded.kvBytes, interval: settings.decodeLogInterval)
        self.detokenizer = detokenizer
        fronts = FrontPipes(in: folder, context, board)
        self.commands = commands
    }

    /// Serves until the supervision line ends the process.
    mutating func run() throws {
        while true {
            try drainCommands()
            settleFlush()
            expire()
            guard !control.paused,
                let batch = scheduler.nextBatch(besideDecoding: statistics.promptTokensBesideDecoding)
            else { continue }
            step(batch)
        }
    }

    /// Takes every command that is there; waits for one when there is nothing to compute.
    private mutating func drainCommands() throws {
        stamp.load(queued: scheduler.counts.waiting, running: scheduler.counts.running)
        var wait: Duration? = .zero
        if scheduler.isIdle || control.paused {
            stamp.enter(.idle)
            statistics.becameIdle()
            wait = control.flushPause
        }
        while true {
            do throws(TransportError) {
                guard let command = try commands.receive(within: wait) else { return }
                stamp.enter(.receiving)
                obey(command)
            } catch {
                guard case .malformed = error else { throw error }
                log.error("\(error)")
            }
            wait = .zero
        }
    }

    private mutating func obey(_ command: WorkerCommand) {
        switch command.command {
        case .generate(let generate): accept(generate)
        case .abort(let abort): giveUp(abort)
        case .livingFronts(let living):
            for id in requests.keys where !living.generations.contains(FrontGeneration.of(id)) { drop(id) }
            send(.make { $0.livingFronts = living })
        case .control(let call): answer(call)
        case nil: log.error("a worker command of an unknown kind was ignored")
        }
    }

    /// One engine step.
    private mutating func step(_ batch: Batch) {
        stamp.enter(batch.prefillTokens > 0 ? .prefill : .decode)
        statistics.began()
        noteAdmissions(batch)
        restartScores(batch)
        plan.prepare(batch, scheduler)
        compute.beginStep()
        link?.send(plan.input)
        model.forward(plan.input)
        var frames = TokenFrames(generation: identity.generation)
        let rows = logits.bound(to: Float.self)
        var done = 0
        while done < plan.targets.count {
            let block = done..<min(plan.targets.count, done + model.limits.logitRows)
            model.logits(block, into: rows)
            for index in block {
                let row = rows + (index - done) * model.config.vocabularySize
                let target = plan.targets[index]
                // Committed here, where nothing else holds the request's tokens: the new one is appended without a copy.
                if let choice = take(target, batch, row, &frames) {
                    scheduler.commit(batch.entries[target.entry], token: choice.token, finished: choice.finished)
                }
            }
            done = block.upperBound
        }
        compute.endStep()
        for entry in batch.entries where !entry.yieldsToken { scheduler.commit(entry, token: nil, finished: false) }
        statistics.stepped(batch, scheduler.counts, log)
        if !frames.isEmpty { send(.make { $0.tokens = frames.batch }) }
    }

    /// Keeps when requests began to run.
    private mutating func noteAdmissions(_ batch: Batch) {
        guard !batch.admitted.isEmpty else { return }
        let now = monotonicMilliseconds()
        for id in batch.admitted {
            guard let request = requests[id], request.admitted == nil else { continue }
            requests[id]!.admitted = now
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
            requests[entry.id]?.logprobs?.startInput(prompt: scheduled.tokens[scored..<scheduled.promptCount])
        }
    }

    /// Uses one row of logits: to score the prompt's next token, to choose the output's next token, or both.
    ///
    /// - Returns: What was chosen, if something was.
    private mutating func take(
        _ target: BatchPlan.LogitTarget, _ batch: Batch, _ row: UnsafeMutablePointer<Float>, _ frames: inout TokenFrames
    ) -> (token: Int32?, finished: Bool)? {
        let entry = batch.entries[target.entry]
        let size = model.config.vocabularySize
        guard let scheduled = scheduler.request(entry.id), requests[entry.id] != nil else { return nil }
        guard target.position == scheduled.tokens.count - 1 else {
            guard requests[entry.id]?.logprobs != nil, target.position + 1 < scheduled.promptCount else {
                return nil
            }
            let scored = LogitRow(row, size: size, inverseTemperature: 1, compute: compute)
            requests[entry.id]!.logprobs!.addInput(scored, token: scheduled.tokens[target.position + 1])
            return nil
        }
        if scheduled.outputCount == 0, requests[entry.id]!.logprobs != nil {
            requests[entry.id]!.logprobs!.addLastInput(
                LogitRow(row, size: size, inverseTemperature: 1, compute: compute))
        }
        return choose(entry, scheduled, row, &frames)
    }

    /// Chooses the next token of a request, none where it asked for none, and tells who needs to know.
    private mutating func choose(
        _ entry: Batch.Entry, _ scheduled: ScheduledRequest, _ row: UnsafeMutablePointer<Float>,
        _ frames: inout TokenFrames
    ) -> (token: Int32?, finished: Bool) {
        let size = model.config.vocabularySize
        var request = requests.removeValue(forKey: entry.id)!
        request.penalties.apply(to: UnsafeMutableBufferPointer(start: row, count: size))
        let choice = sampler.choose(row, request.sampling, position: scheduled.outputCount)
        if request.logprobs != nil {
            let scored = LogitRow(row, size: size, inverseTemperature: choice.inverseTemperature, compute: compute)
            request.logprobs!.addOutput(scored, token: choice.token)
        }
        var finish: FinishReason?
        var token: Int32?
        if scheduled.maxNewTokens == 0 {
            finish = .make { $0.length = 0 }
        } else {
            // A row without numbers ends the request; the id stays one that every vocabulary has.
            let id = max(choice.token, 0)
            token = id
            request.penalties.count(id)
            request.unsent.append(id)
            finish = request.stop.finish(
                scheduled.tokens[scheduled.promptCount...], choice.token, tokenizer: tokenizer)
        }
        if request.isFrameDue(finished: finish != nil) {
            frames.add(&request, scheduled, finish: finish, idsOnly: tokenizer == nil)
            scheduler.scored(entry.id)
        }
        if finish == nil { requests[entry.id] = request }
        return (token, finish != nil)
    }

    /// Hands a message to the detokenizer. A consumer that is gone comes back, and the front then asks for what was lost.
    func send(_ command: DetokenizerCommand) {
        do throws(TransportError) { try detokenizer.send(command, within: .seconds(2)) } catch {
            log.warning("a frame for the detokenizer was lost: \(error)")
        }
    }

    /// Hands a message to the front.
    func send(_ reply: FrontReply) {
        do throws(TransportError) { try fronts.send(reply, within: .seconds(2)) } catch {
            log.warning("a reply to the front was lost: \(error)")
        }
    }
}
