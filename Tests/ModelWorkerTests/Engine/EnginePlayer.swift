import Messages
import ModelWorker
import Scheduling

/// An engine with its toy model, told what to do by a test.
final class EnginePlayer {
    var engine: Engine
    let model: ToyModel
    var now = 1.0

    static let roomy = SchedulerLimits(slots: 400, contextLength: 100, maxRunning: 8, chunkTokens: 64, logitRows: 64)

    init(
        _ limits: SchedulerLimits = roomy, timeouts: RequestTimeouts = RequestTimeouts(),
        _ fill: (inout EngineTraits) -> Void = { _ in }
    ) {
        engine = Toy.engine(limits, timeouts: timeouts, fill)
        model = ToyModel(limits, experts: engine.traits.experts)
    }

    var isIdle: Bool { engine.scheduler.isIdle }
    var counts: SchedulerCounts { engine.scheduler.counts }
    var tally: SchedulerTally { engine.scheduler.tally }
    var ids: [UInt64] { engine.scheduler.ids }
    var restsUntil: Double? { engine.restsUntil }

    /// Lets time pass; what comes of it.
    func wait(_ seconds: Double) -> [Effect] {
        now += seconds
        engine.settle(now: now)
        return engine.takeEffects()
    }

    /// Sends a command; what comes of it.
    func send(_ fill: (inout WorkerCommand) -> Void) -> [Effect] {
        engine.obey(.make(fill), now: now)
        engine.settle(now: now)
        return engine.takeEffects()
    }

    /// One step, if there is one.
    func step() -> TokenBatch? {
        engine.settle(now: now)
        guard let batch = engine.nextBatch() else { return nil }
        engine.step(batch, on: model, now: now)
        now += 0.01
        engine.stepped(batch, now: now)
        return engine.takeEffects().compactMap(\.tokens).first ?? TokenBatch()
    }

    /// Steps until nothing runs; all frames.
    func finish() -> [TokenBatch] {
        var frames: [TokenBatch] = []
        while let frame = step() { frames.append(frame) }
        return frames
    }
}

extension Effect {
    /// The step's frame for the detokenizer.
    var tokens: TokenBatch? {
        if case .detokenizer(let command) = self, case .tokens(let batch) = command.command { batch } else { nil }
    }

    /// The abort for the detokenizer.
    var abort: Abort? {
        if case .detokenizer(let command) = self, case .abort(let abort) = command.command { abort } else { nil }
    }

    /// The refusal of a request.
    var failure: Failure? {
        if case .front(let reply) = self, case .failure(let failure) = reply.reply { failure } else { nil }
    }

    /// The answer to a control call.
    var control: ControlReply? {
        if case .front(let reply) = self, case .control(let answer) = reply.reply { answer } else { nil }
    }
}
