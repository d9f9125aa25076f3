import Messages
import Supervisor

/// A supervisor with pretended processes: carries out actions on a table of its own and keeps a record of them.
struct Rehearsal {
    var state: SupervisorState
    var now = 100.0
    var record: [SupervisorAction] = []
    /// Who lives, as an operating system would know it.
    var living: [ChildID: (pid: Int32, generation: UInt64)] = [:]
    /// Processes that left their place, by pid.
    var leaving: [Int32: (id: ChildID, generation: UInt64)] = [:]
    var nextPid: Int32 = 1000
    var exitCode: Int32?
    /// Places whose next spawn fails.
    var unspawnable: Set<ChildID> = []

    init(_ configure: (inout SupervisorPolicy) -> Void = { _ in }) {
        var policy = SupervisorPolicy()
        configure(&policy)
        state = SupervisorState(policy, wallOffset: 1_000_000)
    }

    /// Every process is started, loaded and warm; `now` is the moment the server began to serve.
    static func serving(_ configure: (inout SupervisorPolicy) -> Void = { _ in }) -> Rehearsal {
        var rehearsal = Rehearsal(configure)
        rehearsal.feed(.start)
        rehearsal.bringUp()
        rehearsal.feed(.warmupEnded(attempt: 1, failure: nil))
        rehearsal.record = []
        return rehearsal
    }

    mutating func feed(_ event: SupervisorEvent) {
        for action in state.handle(event, at: now) {
            record.append(action)
            switch action {
            case .spawn(let id, let generation):
                if unspawnable.contains(id) {
                    feed(.spawnFailed(id, generation: generation, reason: "no memory"))
                } else {
                    nextPid += 1
                    living[id] = (nextPid, generation)
                    feed(.spawned(id, generation: generation, pid: nextPid))
                }
            case .retire(let id, let pid):
                precondition(living[id]?.pid == pid, "somebody else leaves")
                leaving[pid] = (id, living.removeValue(forKey: id)!.generation)
            case .exit(let code): exitCode = code
            default: break
            }
        }
    }

    mutating func report(_ id: ChildID, _ message: ChildMessage) {
        guard let (_, generation) = living[id] else { return }
        feed(.report(id, generation: generation, message))
    }

    /// The process ends as the operating system reports it.
    mutating func end(_ id: ChildID, _ cause: ExitCause, words: String? = nil, lines: [String] = []) {
        guard let (pid, _) = living.removeValue(forKey: id) else { return }
        feed(.exited(id, pid: pid, ChildEnd(cause, words: words, lines: lines)))
    }

    /// A process that left its place ends.
    mutating func endLeaving(_ pid: Int32, _ cause: ExitCause) {
        guard let (id, _) = leaving.removeValue(forKey: pid) else { return }
        feed(.exited(id, pid: pid, ChildEnd(cause)))
    }

    /// Everybody who lives says hello and ready.
    mutating func bringUp() {
        for id in state.slots.map(\.id) where living[id] != nil {
            report(id, .hello)
            report(id, .ready(nil))
        }
    }

    /// Time passes in small steps; `beating` processes send heartbeats meanwhile.
    mutating func pass(_ seconds: Double, beating: Bool = true, except silent: Set<ChildID> = []) {
        let end = now + seconds
        while now < end {
            now = min(now + 0.5, end)
            if beating {
                for id in living.keys.sorted(by: { $0.order < $1.order }) where !silent.contains(id) { beat(id) }
                for (id, generation) in leaving.values where !silent.contains(id) {
                    feed(.report(id, generation: generation, .heartbeat(Heartbeat())))
                }
            }
            feed(.tick)
        }
    }

    mutating func beat(_ id: ChildID, phase: String = "idle", milliseconds: UInt64 = 0) {
        report(
            id,
            .heartbeat(
                .make {
                    $0.phase = phase; $0.phaseMilliseconds = milliseconds
                }))
    }

    /// What was spawned since the record was last cleared.
    var spawns: [ChildID] {
        record.compactMap { if case .spawn(let id, _) = $0 { id } else { nil } }
    }

    /// Who was sent a signal.
    func killed(_ signal: KillSignal) -> [ChildID] {
        record.compactMap { if case .kill(let id, _, signal) = $0 { id } else { nil } }
    }

    /// Who was told to stop.
    var stops: [ChildID] {
        record.compactMap { if case .stop(let id) = $0 { id } else { nil } }
    }

    var logs: [String] {
        record.compactMap { if case .log(let line) = $0 { line.text } else { nil } }
    }

    func slot(_ id: ChildID) -> ChildSlot { state.slots.first { $0.id == id }! }
}

extension ChildID {
    static let front = ChildID(.http)
    static let tokenizer = ChildID(.tokenizerManager)
    static let worker = ChildID(.scheduler)
    static let worker1 = ChildID(.scheduler, rank: 1)
    static let detokenizer = ChildID(.detokenizer)

    var order: Int { role.rawValue * 100 + rank }
}
