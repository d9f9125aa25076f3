import Scheduling
import Values

/// Plays the model: keeps "keys and values" in slots and chooses each token from all those of its request, as greedy decoding does.
///
/// What a position leaves in its slot depends on all tokens up to it, so a token is right only when every slot of its request still holds
/// what the right prefix left there. A layer with a window has a store of its own, of which only the last positions count.
struct ScriptedEngine {
    private var store: [UInt64]
    private var windowStore: [UInt64]
    private let window: Int?

    init(_ limits: SchedulerLimits) {
        store = Array(repeating: 0, count: limits.storeRows)
        windowStore = Array(repeating: 0, count: limits.windowStoreRows ?? 0)
        window = limits.window?.positions
    }

    /// Computes a batch: for each entry that yields any, the next `several` tokens at once, as if they had been foreseen.
    mutating func forward(_ batch: Batch, _ scheduler: borrowing Scheduler, several: Int = 1) -> [[Int32]] {
        for entry in batch.entries {
            guard let request = scheduler.request(entry.id) else { continue }
            var state = entry.start == 0 ? 1 : store[Int(request.slots[entry.start - 1])]
            let windowSlots = windowSlots(entry, scheduler)
            for position in entry.start..<(entry.start + entry.count) {
                state = Self.mix(state, request.tokens[position])
                store[Int(request.slots[position])] = state
                if window != nil { windowStore[Int(windowSlots[position])] = state }
            }
        }
        return batch.entries.map { entry in
            guard entry.yieldsToken, let request = scheduler.request(entry.id) else { return [] }
            let end = entry.start + entry.count
            var sum = request.slots.prefix(end).reduce(0) { $0 &+ store[Int($1)] }
            if let window {
                sum &+= windowSlots(entry, scheduler).suffix(window).reduce(0) { $0 &+ windowStore[Int($1)] }
            }
            let room = max(1, request.maxNewTokens - request.outputCount)
            guard let window else { return Self.tokens(min(several, room), store[Int(request.slots[end - 1])], sum) }
            // What is foreseen is what would have come: of the window only that knows how its sum goes on.
            return Self.output(of: request.tokens, count: min(several, room), window: window)
                .enumerated().map { $0.offset == 0 ? Self.token(sum) : $0.element }
        }
    }

    /// What a death leaves of the rows that were being computed: anything.
    mutating func garble(_ batch: Batch, _ scheduler: borrowing Scheduler, _ random: inout SplitMix64) {
        for entry in batch.entries {
            guard let request = scheduler.request(entry.id) else { continue }
            let windowSlots = windowSlots(entry, scheduler)
            for position in entry.start..<(entry.start + entry.count) where random.once(in: 2) {
                store[Int(request.slots[position])] = random.next()
                if window != nil { windowStore[Int(windowSlots[position])] = random.next() }
            }
        }
    }

    /// The window's slots of an entry's positions.
    private func windowSlots(_ entry: Batch.Entry, _ scheduler: borrowing Scheduler) -> [Int32] {
        guard window != nil, let request = scheduler.request(entry.id) else { return [] }
        var slots: [Int32] = []
        scheduler.windowSlots(request.slots[..<(entry.start + entry.count)], into: &slots)
        return slots
    }

    /// What an undisturbed run generates.
    static func output(of prompt: [Int32], count: Int, window: Int? = nil) -> [Int32] {
        var states: [UInt64] = []
        var state: UInt64 = 1
        var sum: UInt64 = 0
        func add(_ token: Int32) {
            state = mix(state, token)
            sum &+= state
            states.append(state)
        }
        prompt.forEach(add)
        guard let window else { return tokens(count, state, sum) }
        return (0..<count).map { _ in
            let next = token(sum &+ states.suffix(window).reduce(0, &+))
            add(next)
            return next
        }
    }

    /// What follows a last position's state and the sum of all.
    private static func tokens(_ count: Int, _ last: UInt64, _ all: UInt64) -> [Int32] {
        var (state, sum) = (last, all)
        var output: [Int32] = []
        while output.count < count {
            let next = token(sum)
            output.append(next)
            state = mix(state, next)
            sum &+= state
        }
        return output
    }

    private static func mix(_ state: UInt64, _ token: Int32) -> UInt64 {
        var value = (state ^ UInt64(UInt32(bitPattern: token))) &* 0xBF58_476D_1CE4_E5B9
        value ^= value >> 29
        return value &* 0x94D0_49BB_1331_11EB
    }

    private static func token(_ sum: UInt64) -> Int32 { Int32((sum >> 40) % 50) }
}

/// A scheduler with its scripted engine.
struct Run: ~Copyable {
    var scheduler: Scheduler
    private var engine: ScriptedEngine
    /// What outlives the scheduler, where it writes anything down.
    private var copy: SlotCopy

    init(_ limits: SchedulerLimits) {
        scheduler = Scheduler(limits: limits)
        engine = ScriptedEngine(limits)
        copy = SlotCopy(limits)
    }

    /// The scheduler dies at some moment of a step, and another one takes its place.
    ///
    /// - Returns: Tokens in its prefix cache.
    mutating func die(_ random: inout SplitMix64) -> Int {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: break
        case 1:
            if scheduler.nextBatch() != nil { copy.write(scheduler.takeSlotChanges(), &random) }
        case 2:
            guard let batch = scheduler.nextBatch() else { break }
            copy.write(scheduler.takeSlotChanges())
            _ = engine.forward(batch, scheduler)
            engine.garble(batch, scheduler, &random)
        default:
            guard let batch = scheduler.nextBatch() else { break }
            copy.write(scheduler.takeSlotChanges())
            let tokens = engine.forward(batch, scheduler)
            // Another rank is not done with what no logits came of.
            if !batch.isMeeting { engine.garble(batch, scheduler, &random) }
            for (entry, tokens) in zip(batch.entries, tokens) {
                scheduler.commit(entry, tokens: tokens[...], finished: random.once(in: 5) && entry.yieldsToken)
            }
            copy.write(scheduler.takeSlotChanges(atEndOfStep: true, settled: batch.isMeeting), &random)
        }
        scheduler = Scheduler(limits: scheduler.limits)
        let tokens = scheduler.restore(copy.image)
        copy.empty()
        copy.write(scheduler.takeSlotChanges(settled: true))
        return tokens
    }

    /// What lies in the slots is of no use to another scheduler.
    mutating func forget() {
        scheduler.forgetBook()
        copy.empty()
    }

    /// Queues a request that generates from a prompt.
    @discardableResult
    mutating func admit(_ id: UInt64, _ prompt: [Int32], _ count: Int, priority: Int64? = nil) -> Admission {
        scheduler.admit(ScheduledRequest(id: id, prompt: prompt, maxNewTokens: count, priority: priority))
    }

    /// One step; the batch and the outputs of those that ended with it, or nil when nothing could be computed.
    mutating func step(
        _ terms: StepTerms = StepTerms(), several: Int = 1
    ) -> (batch: Batch, ended: [UInt64: [Int32]])? {
        guard let batch = scheduler.nextBatch(terms) else { return nil }
        copy.write(scheduler.takeSlotChanges())
        var ended: [UInt64: [Int32]] = [:]
        for (entry, tokens) in zip(batch.entries, engine.forward(batch, scheduler, several: several)) {
            guard let request = scheduler.request(entry.id) else { continue }
            let output = Array(request.tokens[request.promptCount...]) + tokens
            let finished = entry.yieldsToken && output.count >= request.maxNewTokens
            if finished { ended[entry.id] = output }
            scheduler.commit(entry, tokens: tokens[...], finished: finished)
        }
        copy.write(scheduler.takeSlotChanges(atEndOfStep: true, settled: batch.isMeeting))
        return (batch, ended)
    }

    /// Steps until everything ended; all outputs.
    mutating func finish(most steps: Int = 20_000) -> [UInt64: [Int32]] {
        var outputs: [UInt64: [Int32]] = [:]
        var count = 0
        while count < steps, let (_, ended) = step() {
            outputs.merge(ended) { $1 }
            count += 1
        }
        return outputs
    }
}

extension SplitMix64 {
    /// The generator of a numbered schedule, so that every failure can be repeated.
    init(schedule: Int) { self.init(seed: UInt64(schedule) &* 0x9E37_79B9 &+ 1) }

    /// True once in `n` times.
    mutating func once(in n: Int) -> Bool { Int.random(in: 0..<n, using: &self) == 0 }
}
