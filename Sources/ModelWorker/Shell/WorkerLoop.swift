internal import ChildRuntime
internal import Glibc
internal import Logging
internal import Messages
internal import Scheduling
internal import Transport
internal import Values

/// The model worker's only loop: receive, think, compute, send. The thinking is the `Engine`'s: read that first.
struct WorkerLoop: ~Copyable {
    private var engine: Engine
    private let pipes: WorkerPipes
    private let model: RankedModel
    private let keepsake: WeightsKeepsake
    /// Where it writes down what the prefix cache holds; nil where nothing is kept.
    private let slots: SlotKeepsake?
    private let profiler: Profiler
    private let stamp: ProgressStamp
    private let records: ExpertRecordFolder
    /// Compiles grammars; nil where nobody may ask for one.
    private let grammars: GrammarPool?
    private let log: Logger
    /// When the ranks are asked again how far they are, in monotonic seconds.
    private var nextLook = 0.0
    /// Seconds between two such looks.
    private static let look = 0.01
    /// Time between two looks at the grammars that an idle server waits for.
    private static let glance = Duration.milliseconds(1)

    init(
        _ engine: consuming Engine, _ pipes: consuming WorkerPipes, model: RankedModel, keepsake: WeightsKeepsake,
        slots: SlotKeepsake?, profiler: Profiler, stamp: ProgressStamp, records: ExpertRecordFolder,
        grammars: GrammarPool?, log: Logger
    ) {
        self.engine = engine
        self.pipes = pipes
        self.model = model
        self.keepsake = keepsake
        self.slots = slots
        self.profiler = profiler
        self.stamp = stamp
        self.records = records
        self.grammars = grammars
        self.log = log
    }

    /// Serves until the supervision line ends the process.
    mutating func run() throws {
        while true {
            try drainCommands()
            lookAtRanks()
            for outcome in grammars?.take() ?? [] {
                engine.compiled(outcome.source, outcome.result, after: outcome.seconds)
            }
            engine.settle(now: monotonicSeconds())
            try perform()
            let planning = monotonicSeconds()
            guard let batch = engine.nextBatch() else { continue }
            if engine.slowDown > 0 { usleep(UInt32(engine.slowDown * 1e6)) }
            // What is about to be written must be known of no more.
            slots?.write(engine.takeSlotChanges())
            stamp.enter(batch.prefillTokens > 0 ? .prefill : .decode)
            let began = monotonicSeconds()
            profiler.planned(batch, engine.load, from: planning, to: began)
            engine.step(batch, on: model, now: began)
            let ended = monotonicSeconds()
            engine.stepped(batch, now: ended)
            slots?.write(engine.takeSlotChanges(after: batch, isAlone: model.link == nil))
            profiler.stepped(batch, from: began, to: ended)
            let sending = monotonicSeconds()
            try perform()
            profiler.note(.send, from: sending)
        }
    }

    /// Takes every command that is there; waits for one when there is nothing to compute.
    private mutating func drainCommands() throws {
        let load = engine.load
        stamp.load(queued: load.waiting, running: load.running)
        var wait: Duration? = .zero
        if let until = engine.restsUntil {
            stamp.enter(.idle)
            let now = monotonicSeconds()
            engine.rest(now: now)
            wait = until.isFinite ? .seconds(max(0, until - now)) : nil
            if engine.awaitsRanks { wait = .seconds(Self.look) }
            if engine.awaitsGrammars { wait = Self.glance }
        }
        while let command = try pipes.receive(within: wait) {
            stamp.enter(.receiving)
            let now = monotonicSeconds()
            profiler.received(command, now: now)
            engine.obey(command, now: now)
            try perform()
            profiler.note(.receive, from: now)
            wait = .zero
        }
    }

    /// Asks the ranks, now and then, how far they are with what they prepare or compute beside the steps.
    private mutating func lookAtRanks() {
        guard engine.awaitsRanks, monotonicSeconds() >= nextLook else { return }
        nextLook = monotonicSeconds() + Self.look
        if let outcome = model.outcome { engine.ranksAreDone(outcome) }
    }

    /// Does what the engine wants done. What it tells of the prefix cache, as that it was flushed, is written down first.
    private mutating func perform() throws {
        slots?.write(engine.takeSlotChanges())
        while engine.hasEffects {
            for effect in engine.takeEffects() { try perform(effect) }
        }
    }

    private mutating func perform(_ effect: Effect) throws {
        switch effect {
        case .detokenizer(let command):
            profiler.sends(command, now: monotonicSeconds())
            pipes.send(command)
        case .front(let reply):
            profiler.sends(reply, now: monotonicSeconds())
            pipes.send(reply)
        case .profile(let call, let order): pipes.send(profiler.obey(call, order, now: monotonicSeconds()))
        case .compile(let source): grammars?.compile(source)
        case .prepareMask(let order): grammars?.prepare(order)
        case .log(let level, let line): log.log(level: level, "\(line)")
        case .batchLine(let line): log.info("\(line), timestamp: \(CalendarTime.now().iso)")
        case .readWeight(let call, let order): pipes.send(model.answer(call, order))
        case .writeExperts(let call, let record):
            let file = Result { try records.write(record, now: wallClockSeconds()) }
            engine.wrote(record, call: call, to: file)
        case .prepareWeights(let path, let format):
            let available = fixed(Double(MemoryBudget.current().available) / Double(1 << 30), 2)
            log.info("Update engine weights online from disk begin. avail mem=\(available) GB")
            try model.order(.prepare, format + "\n" + path)
        case .checksumWeights: try model.order(.checksum)
        case .exchangeWeights(let served, let removesOld): try exchange(served, removesOld: removesOld)
        case .discardWeights: try model.order(.discard)
        case .releaseWeights: try model.order(.releaseWeights)
        case .releaseCache:
            forgetSlots()
            try model.order(.releaseCache)
        case .restoreCache: try model.order(.restoreCache)
        }
    }

    /// Whoever comes next finds nothing in the prefix cache.
    private mutating func forgetSlots() {
        engine.forgetBook()
        slots?.empty()
    }

    /// First it is written down: a worker that dies between the two is followed by one with the new weights.
    private mutating func exchange(_ served: ServedWeights?, removesOld: Bool) throws {
        forgetSlots()
        if let served, !keepsake.write(served) { return engine.weightsChanged(to: served, isWritten: false) }
        try model.order(.exchange, removesOld ? RankWeights.removal : "")
        engine.weightsChanged(to: served)
    }
}
