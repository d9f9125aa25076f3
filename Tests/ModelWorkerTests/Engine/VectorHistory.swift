import Messages
import ModelWorker
import Models
import Scheduling
import Values

/// The life of a server that makes vectors, from a seed: requests come, are given up, come again when a process died, wait while all
/// is paused, give way to others; each that stays must get the vector of a lone run, once. The test plays the front.
struct VectorHistory: ~Copyable {
    let limits: SchedulerLimits
    let task: ModelTask
    private var random: SplitMix64
    private var engine: Engine
    private var model: ToyModel
    private var rows: [UInt64: EmbedIDs] = [:]
    private var nextID: UInt64 = 1
    private var isPaused = false
    private var now = 1.0
    /// How often something came about.
    private(set) var counts: [String: Int] = [:]

    init(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed) &* 0x9E37_79B9 &+ 11)
        task = Self.task(&random)
        limits = Self.limits(task, &random)
        self.random = random
        engine = Toy.engine(limits, task: task)
        model = ToyModel(limits)
    }

    private static func task(_ random: inout SplitMix64) -> ModelTask {
        let kind: ModelTask.Kind = [.embedding, .crossEncoder, .classification].randomElement(using: &random)!
        var task = ModelTask(kind: kind, width: ToyModel.vocabularySize, maxTokens: 60)
        task.wholePrompts = Bool.random(using: &random)
        task.normalizes = kind == .embedding
        task.matryoshka = kind == .embedding ? [] : nil
        return task
    }

    private static func limits(_ task: ModelTask, _ random: inout SplitMix64) -> SchedulerLimits {
        let context = Int.random(in: 16...60, using: &random)
        let slots = Int.random(in: 20...140, using: &random)
        let longest = min(context, slots)
        var limits = SchedulerLimits(
            slots: slots, pageSize: [1, 1, 4].randomElement(using: &random)!,
            contextLength: context, maxRunning: Int.random(in: 1...8, using: &random),
            chunkTokens: task.wholePrompts
                ? Int.random(in: longest...2 * longest, using: &random) : Int.random(in: 2...30, using: &random),
            cutsPrompts: !task.wholePrompts, logitRows: Int.random(in: 1...9, using: &random),
            usesPrefixCache: !task.wholePrompts && Int.random(in: 0..<5, using: &random) > 0, seed: random.next())
        limits.generates = false
        if Bool.random(using: &random) {
            limits.priorities = PriorityRules(preemptionGap: [nil, 0, 10].randomElement(using: &random)!)
        }
        return limits
    }

    /// Plays it to the end; what went wrong.
    mutating func tell() -> String? {
        for _ in 0..<60 {
            if rows.count < 12, once(in: 2) { arrive() }
            if once(in: 10), let problem = disturb() { return problem }
            if let problem = step() { return problem }
        }
        resume()
        var steps = 0
        while !rows.isEmpty {
            if let problem = step() { return problem }
            steps += 1
            if steps > 2000 { return "never ended: \(rows.keys.sorted())" }
        }
        guard engine.restsUntil == .infinity, engine.scheduler.counts.held == 0 else { return "something was left" }
        return engine.scheduler.slotError()
    }

    private mutating func once(in n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

    private mutating func note(_ event: String) { counts[event, default: 0] += 1 }

    private mutating func send(_ fill: (inout WorkerCommand) -> Void) {
        now += 0.001
        engine.obey(.make(fill), now: now)
    }

    private mutating func send(_ requests: [EmbedIDs]) { send { $0.embeds = .make { $0.requests = requests } } }
}

// What happens to it.
extension VectorHistory {
    /// Some requests come together; their prompts share prefixes.
    private mutating func arrive() {
        var together: [EmbedIDs] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let longest = limits.maxPromptLength
            let length = once(in: 8) ? longest : Int.random(in: 1...min(14, longest), using: &random)
            var request = EmbedIDs()
            request.key.id = nextID
            request.prompt = (0..<length).map { Int32($0 / 4 + (once(in: 6) ? 5 : 0)) }
            if once(in: 3) { request.setTypes((0..<length).map { $0 < length / 2 ? 0 : 1 }) }
            if task.matryoshka != nil, once(in: 3) { request.dimensions = 5 }
            request.options.cacheKey = once(in: 5) ? "other" : ""
            if limits.priorities != nil, Bool.random(using: &random) {
                request.options.priority = Int64.random(in: -20...20, using: &random)
            }
            rows[nextID] = request
            nextID += 1
            together.append(request)
        }
        send(together)
    }

    private mutating func disturb() -> String? {
        let id = rows.keys.sorted().randomElement(using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
            guard let id else { return nil }
            note("aborted")
            let key = rows.removeValue(forKey: id)!.key
            send { $0.abort = .make { $0.key = key } }
        case 1:
            note("worker died")
            engine = Toy.engine(limits, now: now, task: task)
            model = ToyModel(limits)
            isPaused = false
            comeAgain()
        case 2:
            note("neighbour died")
            comeAgain()
        case 3:
            guard let id else { return nil }
            note("late message")
            let old = rows[id]!
            rows[id]!.key.attempt += 1
            send([rows[id]!])
            send([old])
            if once(in: 2) { send { $0.abort = .make { $0.key = old.key } } }
        case 4: pause(.retract)
        case 5: pause(.inPlace)
        case 6:
            pause(.abort)
            rows.removeAll()
        default: resume()
        }
        return engine.scheduler.slotError()
    }

    private mutating func pause(_ mode: PauseGeneration.Mode) {
        note("paused \(mode)")
        send { $0.control = .make { $0.pause = .make { $0.mode = mode } } }
        if mode != .abort { isPaused = true }
    }

    private mutating func resume() {
        send { $0.control = .make { $0.resume = true } }
        isPaused = false
    }

    /// The front sends everything that is open again.
    private mutating func comeAgain() {
        for id in rows.keys { rows[id]!.key.attempt += 1 }
        send(rows.keys.sorted().map { rows[$0]! })
    }
}

// What it answers.
extension VectorHistory {
    private mutating func step() -> String? {
        engine.settle(now: now)
        if let batch = engine.nextBatch() {
            if isPaused { return "it computes although it is paused" }
            if task.wholePrompts, !batch.entries.allSatisfy({ $0.start == 0 && $0.yieldsToken }) {
                return "a prompt was cut, or shares a prefix: \(batch.entries)"
            }
            if !batch.preempted.isEmpty { note("preempted") }
            if batch.entries.count > 1 { note("several in a step") }
            engine.step(batch, on: model, now: now)
            now += 0.01
            engine.stepped(batch, now: now)
        } else if isPaused {
            if once(in: 4) { resume() }
        }
        var frames = 0
        for effect in engine.takeEffects() {
            switch effect {
            case .detokenizer: return "the detokenizer hears of a vector"
            case .front(let reply):
                if case .failure(let failure) = reply.reply { return "refused: \(failure.message)" }
                guard case .vectors(let batch) = reply.reply else { continue }
                frames += 1
                if let problem = take(batch) { return problem }
            default: break
            }
        }
        return frames > 1 ? "\(frames) messages for one step" : nil
    }

    private mutating func take(_ batch: VectorBatch) -> String? {
        guard batch.isConsistent else { return "a batch contradicts itself" }
        var start = 0
        for (row, id) in batch.requestIds.enumerated() {
            let values = Array(batch.values[start..<(start + Int(batch.counts[row]))])
            start += values.count
            guard let request = rows[id], request.key.attempt == batch.attempts[row] else { continue }
            // Now and then a message is lost on its way, and the front asks again.
            if once(in: 40) {
                note("lost frame")
                rows[id]!.key.attempt += 1
                send([rows[id]!])
                continue
            }
            rows[id] = nil
            note("answered")
            let alone = lone(request)
            guard values == alone else { return "\(id): \(values) instead of \(alone)" }
            guard Int(batch.promptTokens[row]) == request.prompt.count else { return "\(id): a wrong count of tokens" }
        }
        return nil
    }

    /// The vector of a request that is alone.
    private func lone(_ request: EmbedIDs) -> [Float] {
        var row = ToyModel.logits(behind: request.prompt, types: request.tokenTypes)
        if request.dimensions > 0 { row.removeLast(row.count - Int(request.dimensions)) }
        guard task.normalizes else { return row }
        let length = row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return row.map { Float(Double($0) * (1 / length)) }
    }
}
