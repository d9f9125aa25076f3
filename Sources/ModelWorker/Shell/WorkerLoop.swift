internal import ChildRuntime
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
    private let profiler: Profiler
    private let stamp: ProgressStamp
    private let records: ExpertRecordFolder
    private let log: Logger

    init(
        _ engine: consuming Engine, _ pipes: consuming WorkerPipes, model: RankedModel, profiler: Profiler,
        stamp: ProgressStamp, records: ExpertRecordFolder, log: Logger
    ) {
        self.engine = engine
        self.pipes = pipes
        self.model = model
        self.profiler = profiler
        self.stamp = stamp
        self.records = records
        self.log = log
    }

    /// Serves until the supervision line ends the process.
    mutating func run() throws {
        while true {
            try drainCommands()
            engine.settle(now: monotonicSeconds())
            perform()
            let planning = monotonicSeconds()
            guard let batch = engine.nextBatch() else { continue }
            stamp.enter(batch.prefillTokens > 0 ? .prefill : .decode)
            let began = monotonicSeconds()
            profiler.planned(batch, engine.load, from: planning, to: began)
            engine.step(batch, on: model, now: began)
            let ended = monotonicSeconds()
            engine.stepped(batch, now: ended)
            profiler.stepped(batch, from: began, to: ended)
            profiler.note(.send) { perform() }
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
        }
        while let command = try pipes.receive(within: wait) {
            stamp.enter(.receiving)
            let now = monotonicSeconds()
            profiler.received(command, now: now)
            engine.obey(command, now: now)
            perform()
            profiler.note(.receive, from: now)
            wait = .zero
        }
    }

    /// Does what the engine wants done, and what comes of that.
    private mutating func perform() {
        while engine.hasEffects { for effect in engine.takeEffects() { perform(effect) } }
    }

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .detokenizer(let command):
            profiler.sends(command, now: monotonicSeconds())
            pipes.send(command)
        case .front(let reply):
            profiler.sends(reply, now: monotonicSeconds())
            pipes.send(reply)
        case .log(let level, let line): log.log(level: level, "\(line)")
        case .batchLine(let line): log.info("\(line), timestamp: \(CalendarTime.now().iso)")
        case .readWeight(let call, let order): pipes.send(model.answer(call, order))
        case .profile(let call, let order): pipes.send(profiler.obey(call, order, now: monotonicSeconds()))
        case .writeExperts(let call, let record):
            let file = Result { try records.write(record, now: wallClockSeconds()) }
            engine.wrote(record, call: call, to: file)
        }
    }
}
