import Messages
import Supervisor
import Testing
import Values

/// Tens of thousands of random histories; a seed reproduces its history.
@Suite struct SupervisorHistoryTests {
    @Test(arguments: 0..<20)
    func invariantsHoldOverRandomHistories(batch: Int) throws {
        for seed in (batch * 1100)..<((batch + 1) * 1100) {
            var history = History(seed: UInt64(seed))
            if let broken = history.run() { Issue.record("seed \(seed): \(broken)"); return }
        }
    }
}

/// One random history and the rules it is held against.
private struct History {
    var play: Rehearsal
    var random: SplitMix64
    var stopped = false
    var told: Set<ChildID> = []
    /// Pids of processes that left their place and were killed.
    var doomed: Set<Int32> = []

    init(seed: UInt64) {
        random = SplitMix64(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 1)
        let ranks = Int.random(in: 1...3, using: &random)
        let warmup = Bool.random(using: &random)
        let maxRestarts = Int.random(in: 0...6, using: &random)
        let exits = Int.random(in: 0..<8, using: &random) == 0
        play = Rehearsal {
            $0.ranks = ranks
            $0.warmup = warmup
            $0.maxRestarts = maxRestarts
            $0.onFailure = exits ? .exit : .restart
            $0.drainTimeout = 3
            $0.jitterSeed = seed
        }
    }

    /// Plays the history; the first rule it breaks, or nil.
    mutating func run() -> String? {
        if let broken = step(.start) { return broken }
        for _ in 0..<Int.random(in: 5...120, using: &random) where play.exitCode == nil {
            guard let event = randomEvent() else { continue }
            if let broken = step(event) { return broken }
        }
        // Whatever happened, a stop signal now ends it within bounded time.
        if let broken = step(.signal(Bool.random(using: &random) ? .terminate : .interrupt)) { return broken }
        for _ in 0..<200 where play.exitCode == nil {
            play.now += 0.25
            if let broken = step(.tick) { return broken }
            if let broken = obeyStubbornly() { return broken }
        }
        if play.exitCode == nil { return "did not end" }
        return play.living.isEmpty && play.leaving.isEmpty ? nil : "ended while \(play.living.keys) lived"
    }

    /// Processes end when killed, and sometimes when told to.
    private mutating func obeyStubbornly() -> String? {
        for id in play.living.keys.sorted(by: { $0.order < $1.order }) {
            let isKilled = told.contains(id)
            guard isKilled || Int.random(in: 0..<10, using: &random) == 0 else { continue }
            if let broken = end(id, isKilled ? .signal(9) : .code(0)) { return broken }
        }
        for pid in play.leaving.keys.sorted() {
            let isKilled = doomed.contains(pid)
            guard isKilled || Int.random(in: 0..<10, using: &random) == 0 else { continue }
            if let broken = endLeaving(pid, isKilled ? .signal(9) : .code(0)) { return broken }
        }
        return nil
    }

    private mutating func randomEvent() -> SupervisorEvent? {
        play.now += Double.random(in: 0...1.5, using: &random)
        let id = play.state.slots.map(\.id).randomElement(using: &random)!
        let generation = play.living[id]?.generation ?? 1
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<15: return .report(id, generation: generation, .hello)
        case 15..<45: return .report(id, generation: generation, .ready(nil))
        case 45..<60: return .report(id, generation: generation, .heartbeat(randomHeartbeat()))
        case 60..<62: return .report(id, generation: generation, .goodbye(reason: "tired"))
        case 62..<64: return .report(id, generation: generation &+ 1, .ready(nil))
        case 64..<74: return play.living[id].map { deathOf(id, $0.pid) }
        case 74..<76: return .exited(id, pid: 7, ChildEnd(.code(1)))
        case 76..<80:
            return .restart(
                call: UInt64.random(in: 0...9, using: &random), RestartUnit.allCases.randomElement(using: &random))
        case 80..<81: return .restart(call: 10, nil)
        case 81..<83: return .warmupEnded(attempt: Int.random(in: 1...2, using: &random), failure: nil)
        case 83..<85:
            guard
                let (pid, (id, generation)) = play.leaving.sorted(by: { $0.key < $1.key }).randomElement(using: &random)
            else { return nil }
            if Bool.random(using: &random) { return .report(id, generation: generation, .heartbeat(Heartbeat())) }
            play.leaving[pid] = nil
            return .exited(id, pid: pid, ChildEnd(.signal(9)))
        case 85..<86: return .warmupEnded(attempt: 1, failure: "no answer")
        case 86..<87:
            return .signal([StopSignal.terminate, .interrupt, .quit].randomElement(using: &random)!)
        default: return .tick
        }
    }

    private mutating func randomHeartbeat() -> Heartbeat {
        let phase = ["idle", "prefill", "receiving"].randomElement(using: &random)!
        let lasts = UInt64.random(in: 0...12_000, using: &random)
        return .make {
            $0.phase = phase
            $0.phaseMilliseconds = lasts
        }
    }

    private mutating func deathOf(_ id: ChildID, _ pid: Int32) -> SupervisorEvent {
        play.living[id] = nil
        let causes: [ExitCause] = [.signal(9), .signal(11), .outOfMemory(limit: 1 << 28), .code(0), .code(1)]
        let words = ["no model", "no tokenizer", nil].randomElement(using: &random)!
        return .exited(id, pid: pid, ChildEnd(causes.randomElement(using: &random)!, words: words, lines: ["a line"]))
    }

    private mutating func end(_ id: ChildID, _ cause: ExitCause) -> String? {
        guard let (pid, _) = play.living.removeValue(forKey: id) else { return nil }
        told.remove(id)
        return step(.exited(id, pid: pid, ChildEnd(cause)))
    }

    private mutating func endLeaving(_ pid: Int32, _ cause: ExitCause) -> String? {
        guard let (id, _) = play.leaving.removeValue(forKey: pid) else { return nil }
        doomed.remove(pid)
        return step(.exited(id, pid: pid, ChildEnd(cause)))
    }

    /// Feeds one event and checks every rule on what came of it.
    private mutating func step(_ event: SupervisorEvent) -> String? {
        play.record = []
        let before = play.living
        let wasOver = play.exitCode != nil
        var retired: Set<ChildID> = []
        play.feed(event)
        if wasOver, !play.record.isEmpty { return "acted after the end: \(play.record)" }
        for (place, action) in play.record.enumerated() {
            switch action {
            case .spawn(let id, let generation):
                if stopped { return "spawned \(id) after the stop began" }
                if before[id] != nil, !retired.contains(id) { return "spawned a second \(id)" }
                if let old = play.record[..<place].last(where: { $0 == .spawn(id, generation: generation) }) {
                    return "twice \(old)"
                }
            case .kill(let id, let pid, let signal):
                if play.leaving[pid] != nil {
                    if signal == .kill { doomed.insert(pid) }
                    continue
                }
                if play.living[id]?.pid != pid { return "signalled a stranger as \(id)" }
                if signal == .kill { told.insert(id) }
            case .exit:
                if place != play.record.count - 1 { return "did something after the exit" }
                if !play.living.isEmpty || !play.leaving.isEmpty { return "exited before \(play.living.keys)" }
            case .retire(let id, let pid):
                if before[id]?.pid != pid { return "retired a stranger as \(id)" }
                retired.insert(id)
            case .drainLeaving(let pid, _, _):
                if play.leaving[pid] == nil { return "told a stranger to leave" }
            case .drain, .stop, .publish, .refresh, .log, .startWarmup, .answer: break
            }
        }
        told = told.filter { play.living[$0] != nil }
        if play.state.status == "stopping" || play.state.status == "stopped" { stopped = true }
        return checkTable()
    }

    private func checkTable() -> String? {
        let workers = play.state.slots.filter { $0.id.role == .scheduler }
        if Set(workers.map(\.generation)).count > 1 { return "ranks of different generations" }
        for slot in play.state.slots {
            if slot.pid != play.living[slot.id]?.pid { return "\(slot.title): the table says \(slot.process)" }
            if slot.state == .ready, !slot.isOccupied { return "\(slot.title) is ready and not there" }
        }
        let hasFront = play.living[.front] != nil || !play.leaving.isEmpty
        if play.state.isServing,
            !hasFront || play.living.count + (play.living[.front] == nil ? 1 : 0) != play.state.slots.count
        {
            return "serving with holes"
        }
        if play.state.nextWake(after: play.now) < play.now { return "wakes in the past" }
        return nil
    }
}
