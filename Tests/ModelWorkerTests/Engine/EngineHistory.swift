import Grammar
import Messages
import ModelWorker
import Scheduling
import Values

/// One server's life from a seed: requests come, are given up, lose a neighbouring process and come again, wait while all is paused, lose
/// their slots to others, meet other weights and memory that is given back; whoever remains must be answered as if alone, with the weights
/// it began with unless somebody asked for a mixture. The test plays front, detokenizer and ranks.
struct EngineHistory: ~Copyable {
    /// What the front keeps of a request.
    struct Row {
        var request: GenerateIDs
        /// As it first came.
        let asked: GenerateIDs
        var answer = LoneRun()
        /// Which weights computed each of its ids.
        var weights: [UInt64] = []
        /// Which ones its prompt was computed with, where it has no ids.
        var prompt: UInt64 = 0
        /// Other weights came while it was under way, and it went on.
        var isMixed = false
    }

    let limits: SchedulerLimits
    var random: SplitMix64
    var engine: Engine
    var model: ToyModel
    var rows: [UInt64: Row] = [:]
    private var nextID: UInt64 = 1
    private var generation: UInt64 = 1
    var isPaused = false
    private var now = 1.0
    var ranks = RankPlay()
    /// Grammars that are being compiled.
    var compiling: [GrammarSource] = []
    /// How often something came about, over all histories that are told with it.
    private(set) var counts: [String: Int] = [:]

    init(seed: Int) {
        random = SplitMix64(seed: UInt64(seed) &* 0x9E37_79B9 &+ 7)
        limits = Self.limits(&random)
        engine = Toy.engine(limits)
        model = ToyModel(limits)
    }

    private static func limits(_ random: inout SplitMix64) -> SchedulerLimits {
        let context = Int.random(in: 24...60, using: &random)
        let cuts = Int.random(in: 0..<4, using: &random) > 0
        var limits = SchedulerLimits(
            slots: Int.random(in: 32...130, using: &random), pageSize: [1, 1, 4].randomElement(using: &random)!,
            contextLength: context, maxRunning: Int.random(in: 1...8, using: &random),
            chunkTokens: cuts ? Int.random(in: 2...30, using: &random) : context, cutsPrompts: cuts,
            logitRows: Int.random(in: 3...20, using: &random), conservativeness: Bool.random(using: &random) ? 0.05 : 1,
            usesPrefixCache: Int.random(in: 0..<5, using: &random) > 0, seed: random.next())
        if Bool.random(using: &random) {
            limits.priorities = PriorityRules(
                preemptionGap: [nil, 0, 10].randomElement(using: &random)!,
                guidesRetraction: Bool.random(using: &random))
        }
        return limits
    }

    /// Plays it to the end; what went wrong.
    mutating func tell() throws -> String? {
        for _ in 0..<60 {
            if rows.count < 10, once(in: 3) { arrive() }
            if once(in: 12), let problem = disturb() { return problem }
            if let problem = try step() { return problem }
        }
        resume()
        takeMemory()
        var steps = 0
        while !rows.isEmpty || !ranks.unanswered.isEmpty {
            if let problem = try step() { return problem }
            steps += 1
            if steps > 3000 { return "never ended: \(rows.keys.sorted())" }
        }
        guard engine.restsUntil == .infinity, engine.scheduler.counts.held == 0 else { return "something was left" }
        return engine.scheduler.slotError()
    }

    mutating func once(in n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

    mutating func note(_ event: String) { counts[event, default: 0] += 1 }

    mutating func send(_ fill: (inout WorkerCommand) -> Void) {
        now += 0.001
        engine.obey(.make(fill), now: now)
    }
}

// What happens to it.
extension EngineHistory {
    private mutating func arrive() {
        // Prompts share prefixes, and some end inside a character.
        var prompt = (0..<Int.random(in: 1...14, using: &random)).map { Int32($0 / 4 + (once(in: 6) ? 5 : 0)) }
        if once(in: 6) { prompt.append(22) }
        let request = Toy.request(nextID, prompt, sampling()) {
            $0.options.stream = Bool.random(using: &random)
            $0.options.streamInterval = UInt32.random(in: 1...3, using: &random)
            $0.options.cacheKey = once(in: 5) ? "other" : ""
            $0.options.hiddenStates = [.noRow, .noRow, .lastRow, .everyRow].randomElement(using: &random)!
            if limits.priorities != nil, Bool.random(using: &random) {
                $0.options.priority = Int64.random(in: -20...20, using: &random)
            }
            if once(in: 3) {
                $0.logprobs = .make {
                    $0.start = once(in: 2) ? -1 : Int32.random(in: 0..<Int32(prompt.count), using: &random)
                    $0.topCount = UInt32.random(in: 0...2, using: &random)
                    if once(in: 2) { $0.tokenIds = .make { $0.ids = [3, 20] } }
                }
            }
        }
        rows[nextID] = Row(request: request, asked: request)
        nextID += 1
        send { $0.generate = request }
    }

    private mutating func sampling() -> SamplingParams {
        Toy.sampling {
            $0.seed = random.next()
            $0.maxNewTokens = Int32.random(in: 0...16, using: &random)
            $0.minNewTokens = once(in: 4) ? min(3, $0.maxNewTokens) : 0
            $0.temperature = [0, 0.5, 1, 3].randomElement(using: &random)!
            $0.topK = [-1, 1, 5].randomElement(using: &random)!
            $0.topP = [1, 0.8].randomElement(using: &random)!
            $0.minP = [0, 0.1].randomElement(using: &random)!
            $0.frequencyPenalty = [0, 0, 1.5].randomElement(using: &random)!
            $0.presencePenalty = [0, 0, -1].randomElement(using: &random)!
            $0.repetitionPenalty = [1, 1, 1.7].randomElement(using: &random)!
            if once(in: 4) { ($0.logitBiasIds, $0.logitBiasValues) = ([1, 7], [4, -100]) }
            if once(in: 4) { $0.stop = ["ab", "é", " c", "hg"] }
            if once(in: 6) { $0.stopRegex = ["[a-c][d-f][g-i]", "j+k"] }
            if once(in: 8) { $0.stopRegex = ["(.+)+[xyz]"] }
            if once(in: 4) { $0.stopTokenIds = [4] }
            if once(in: 3) { $0.regex = Toy.regexes.randomElement(using: &random)! }
            $0.ignoreEos = once(in: 3)
        }
    }

    private mutating func disturb() -> String? {
        let id = rows.keys.sorted().randomElement(using: &random)
        switch Int.random(in: 0..<13, using: &random) {
        case 0:
            guard let id else { return nil }
            note("aborted")
            let key = rows.removeValue(forKey: id)!.request.key
            send { $0.abort = .make { $0.key = key } }
        case 1: killWorker()
        case 2: killDetokenizer()
        case 3:
            guard let id else { return nil }
            comeLate(id)
        case 4: pause(.retract)
        case 5: pause(.inPlace)
        case 6:
            pause(.abort)
            rows.removeAll()
        case 7: resume()
        case 8, 9: orderWeights()
        case 10: giveMemory()
        case 11: takeMemory()
        default: send { $0.control = .make { $0.flushCache = FlushCache() } }
        }
        return engine.scheduler.slotError()
    }

    private mutating func pause(_ mode: PauseGeneration.Mode) {
        note("paused \(mode)")
        if once(in: 3) { orderWeights() }
        send { $0.control = .make { $0.pause = .make { $0.mode = mode } } }
        isPaused = true
    }

    private mutating func resume() {
        send { $0.control = .make { $0.resume = true } }
        isPaused = false
    }

    /// The worker's next incarnation has nothing; the front sends everything again.
    private mutating func killWorker() {
        note("worker died")
        generation += 1
        engine = Toy.engine(limits, generation: generation, served: ranks.served, now: now)
        model = ToyModel(limits)
        isPaused = false
        compiling = []
        remindOfWeights()
        for id in rows.keys.sorted() { resubmit(id) }
    }

    /// A neighbour died: the front sends everything again, and the worker still has it all.
    private mutating func killDetokenizer() {
        note("neighbour died")
        for id in rows.keys.sorted() { resubmit(id) }
    }

    /// A request comes again, and then what was under way of the attempt before.
    private mutating func comeLate(_ id: UInt64) {
        note("late message")
        let old = rows[id]!.request
        resubmit(id)
        send { $0.generate = old }
        if once(in: 2) { send { $0.abort = .make { $0.key = old.key } } }
    }

    mutating func resubmit(_ id: UInt64) {
        rows[id]!.request.key.attempt += 1
        rows[id]!.request.resumedIds = rows[id]!.answer.ids
        rows[id]!.request.resumedWeights = rows[id]!.weights.last ?? 0
        let again = rows[id]!.request
        send { $0.generate = again }
    }
}

// What it answers.
extension EngineHistory {
    private mutating func step() throws -> String? {
        ranksWork()
        try grammarsCome()
        engine.settle(now: now)
        if let problem = try perform() { return problem }
        if let batch = engine.nextBatch() {
            if isPaused { return "it computes although it is paused" }
            if ranks.isReleased { return "it computes although its memory is given back" }
            if !batch.retracted.isEmpty { note("retracted") }
            if !batch.preempted.isEmpty { note("preempted") }
            if batch.entries.prefix(batch.decodingEntries).contains(where: { $0.count > 1 }) { note("jumped") }
            engine.step(batch, on: model, now: now)
            now += 0.01
            engine.stepped(batch, now: now)
        } else {
            if isPaused, once(in: 4) { resume() }
            if ranks.isReleased, once(in: 4) { takeMemory() }
        }
        return try perform()
    }

    private mutating func perform() throws -> String? {
        while engine.hasEffects {
            for effect in engine.takeEffects() {
                switch effect {
                case .detokenizer(let command):
                    switch command.command {
                    case .tokens(let batch): if let problem = try take(batch) { return problem }
                    case .abort(let abort): end(abort)
                    default: break
                    }
                case .front(let reply):
                    switch reply.reply {
                    case .failure(let failure): if let problem = lose(failure) { return problem }
                    case .control(let answer): if let problem = hear(answer) { return problem }
                    default: break
                    }
                case .compile(let source): compile(source)
                case .readWeight, .profile, .log, .batchLine: break
                default: obey(effect)
                }
            }
        }
        return nil
    }

    private mutating func take(_ batch: TokenBatch) throws -> String? {
        guard batch.generation == generation else { return "a frame of generation \(batch.generation)" }
        // Now and then a frame is lost on its way: the front sees the gap and asks again.
        let isLost = once(in: 40)
        var missing: Set<UInt64> = []
        var start = 0
        for (row, id) in batch.requestIds.enumerated() {
            let ids = batch.ids[start..<(start + Int(batch.counts[row]))]
            start += ids.count
            guard var known = rows[id], known.request.key.attempt == batch.attempts[row] else { continue }
            // An opening tells again what the front has; it may not tell anything else.
            let offset = Int(batch.offsets[row])
            guard !isLost, offset <= known.answer.ids.count else {
                missing.insert(id)
                continue
            }
            let repeated = known.answer.ids[offset...].prefix(ids.count)
            guard ids.prefix(repeated.count).elementsEqual(repeated) else { return "\(id) contradicts itself" }
            let fresh = ids.dropFirst(repeated.count)
            if let last = known.weights.last, !fresh.isEmpty, last != batch.weights, last < ranks.served.pureSince {
                return "\(id) goes on with weights that nobody wanted to be mixed"
            }
            known.weights += fresh.map { _ in batch.weights }
            if known.weights.isEmpty { known.prompt = batch.weights }
            known.answer.ids += fresh
            for frame in batch.logprobs where Int(frame.row) == row { known.answer.add(frame) }
            for frame in batch.hidden where Int(frame.row) == row { known.answer.add(frame, known: repeated.count) }
            known.answer.finish = batch.finish[row]
            rows[id] = known
            if known.answer.finish.reason != nil, let problem = try compare(id) { return problem }
        }
        for id in missing.sorted() {
            note("lost frame")
            resubmit(id)
        }
        return nil
    }

    private mutating func compare(_ id: UInt64) throws -> String? {
        let row = rows.removeValue(forKey: id)!
        let room = limits.maxRequestLength - row.asked.prompt.count - 1
        let weights = row.weights.isEmpty ? [row.prompt] : row.weights
        var alone = try LoneRun(
            row.asked, maxNewTokens: max(0, min(Int(row.asked.sampling.maxNewTokens), room)), weights: weights)
        if row.isMixed {
            // Parts of its prompt may have been computed before.
            note("mixed")
            alone.hidden[0] = row.answer.hidden[0]
        }
        note("\(alone.finish.reason.map { "\($0)".prefix { $0 != "(" } } ?? "")")
        return row.answer == alone
            ? nil : "\(id), attempt \(row.request.key.attempt): \(row.answer) instead of \(alone)"
    }
}
