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
    private let stamp: ProgressStamp
    private let log: Logger

    init(
        _ engine: consuming Engine, _ pipes: consuming WorkerPipes, model: RankedModel, stamp: ProgressStamp,
        log: Logger
    ) {
        self.engine = engine
        self.pipes = pipes
        self.model = model
        self.stamp = stamp
        self.log = log
    }

    /// Serves until the supervision line ends the process.
    mutating func run() throws {
        while true {
            try drainCommands()
            engine.settle(now: monotonicSeconds())
            perform()
            guard let batch = engine.nextBatch() else { continue }
            stamp.enter(batch.prefillTokens > 0 ? .prefill : .decode)
            engine.step(batch, on: model, now: monotonicSeconds())
            engine.stepped(batch, now: monotonicSeconds())
            perform()
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
            engine.obey(command, now: monotonicSeconds())
            perform()
            wait = .zero
        }
    }

    /// Does what the engine wants done.
    private mutating func perform() {
        guard engine.hasEffects else { return }
        for effect in engine.takeEffects() {
            switch effect {
            case .detokenizer(let command): pipes.send(command)
            case .front(let reply): pipes.send(reply)
            case .log(let level, let line): log.log(level: level, "\(line)")
            case .batchLine(let line): log.info("\(line), timestamp: \(CalendarTime.now().iso)")
            case .readWeight(let call, let order): pipes.send(model.answer(call, order))
            }
        }
    }
}
