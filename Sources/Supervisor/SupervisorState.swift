package import Messages
internal import Values

/// The whole policy of supervision as a value: what has happened goes in, what is to be done comes out.
///
/// It has no clock (each event comes with its time in seconds of a monotonic clock), no process and no socket, so that tests
/// script tens of thousands of histories. Invariants: a place never has two live incarnations (a front that is replaced on demand
/// leaves its place first); the ranks of the model worker
/// share one generation and are replaced together; once stopping began nothing is spawned; `.exit` is the last action and
/// comes when every place is empty.
package struct SupervisorState: Sendable {
    /// How far the end of the server is.
    enum Ending: Sendable, Equatable {
        case none
        /// Running requests may finish until then.
        case draining(until: Double)
        /// Units stop one after the other; `hurried` means all at once.
        case stopping(hurried: Bool)
        case over
    }

    package let policy: SupervisorPolicy
    /// What to add to the monotonic clock to get seconds since 1970.
    let wallOffset: Double
    /// The table, in start order.
    package internal(set) var slots: [ChildSlot]
    var units: [UnitState]
    var ending = Ending.none
    var exitCode = LauncherExit.stopped
    /// The unit whose turn it is to stop, and since when.
    var stopStage: RestartUnit?
    var stopStageSince = 0.0
    var stopTermSent = false
    var stopKillSent = false
    /// Serving was reached once: from here on failures are repaired instead of reported.
    package internal(set) var hasServed = false
    /// What the first start failed of, as far as it was told.
    var startFailures: Set<String> = []
    /// The running warm-up request's number; nil when there is none.
    var warmupAttempt: Int?
    /// The front that it was sent to.
    var warmupFront: UInt64 = 0
    var warmupCount = 0
    var restarts: [RestartCall] = []
    /// Fronts that were replaced on demand and are not done.
    var leaving: [LeavingFront] = []
    package internal(set) var facts: ModelFacts?
    var random: SplitMix64
    var lastTick: Double?
    var actions: [SupervisorAction] = []

    /// A server of which nothing runs yet.
    package init(_ policy: SupervisorPolicy, wallOffset: Double) {
        self.policy = policy
        self.wallOffset = wallOffset
        random = SplitMix64(seed: policy.jitterSeed)
        var slots: [ChildSlot] = []
        var units: [UnitState] = []
        for kind in RestartUnit.allCases {
            let ranks = kind == .workers ? max(1, policy.ranks) : 1
            units.append(UnitState(kind: kind, slots: slots.count..<(slots.count + ranks)))
            for rank in 0..<ranks { slots.append(ChildSlot(ChildID(kind.role, rank: rank), size: ranks)) }
        }
        self.slots = slots
        self.units = units
    }

    /// Takes in one event and says what to do about it.
    package mutating func handle(_ event: SupervisorEvent, at now: Double) -> [SupervisorAction] {
        guard ending != .over else { return [] }
        switch event {
        case .start: for unit in RestartUnit.allCases { spawn(unit, now) }
        case .spawned(let id, let generation, let pid): spawned(id, generation, pid, now)
        case .spawnFailed(let id, let generation, let reason): spawnFailed(id, generation, reason, now)
        case .report(let id, let generation, let message): report(id, generation, message, now)
        case .exited(let id, let pid, let end): exited(id, pid, end, now)
        case .signal(let signal): obey(signal, now)
        case .restart(let call, let unit): askedToRestart(call, unit, now)
        case .warmupEnded(let attempt, let failure): warmupEnded(attempt, failure, now)
        case .tick: tick(now)
        }
        defer { actions = [] }
        return actions
    }

    /// When the next `.tick` is due at the latest, in seconds of the monotonic clock.
    package func nextWake(after now: Double) -> Double {
        var wake = now + 0.5
        for unit in units { if case .waiting(let until) = unit.phase { wake = min(wake, until) } }
        for slot in slots where slot.state == .ready && !slot.isLate {
            wake = min(wake, slot.heardAt + policy.heartbeatLate + 0.001)
        }
        if case .draining(let until) = ending { wake = min(wake, until + policy.drainMargin) }
        if case .stopping = ending { wake = min(wake, now + 0.1) }
        if case .stopping? = restarts.first?.step { wake = min(wake, now + 0.1) }
        return max(wake, now)
    }

    /// Every process is ready, none is late, and the warm-up is over.
    package var isServing: Bool {
        hasServed && ending == .none
            && units.indices.allSatisfy { unit in
                let isThere =
                    units[unit].phase == .running
                    && units[unit].slots.allSatisfy { slots[$0].state == .ready && !slots[$0].isLate }
                return isThere || isCovered(unit)
            }
    }

    /// No new request is taken any more.
    package var isDraining: Bool { ending != .none }

    // MARK: Small tools of the extensions

    func index(of id: ChildID) -> Int? { slots.firstIndex { $0.id == id } }

    func unit(of slot: Int) -> Int { units.firstIndex { $0.slots.contains(slot) }! }

    mutating func log(_ level: LogLine.Level, _ text: String) {
        actions.append(.log(LogLine(level: level, text: text)))
    }

    mutating func setState(_ slot: Int, _ state: ProcessState, _ now: Double) {
        guard slots[slot].state != state else { return }
        slots[slot].state = state
        slots[slot].since = now
        publish()
    }

    /// Asks for the table to be published, once per event.
    mutating func publish() {
        if !actions.contains(.publish) { actions.append(.publish) }
    }

    /// A number in 0 ..< 1 from the seeded generator.
    mutating func jitter() -> Double { random.unit() }
}

/// A restart unit's history and what it is at.
struct UnitState: Sendable, Equatable {
    enum Phase: Sendable, Equatable {
        /// Nothing was spawned yet, or everything has stopped for good.
        case stopped
        case running
        /// Its processes are being ended; `failed` tells why, or nil when an operator asked for it.
        case ending(failed: String?)
        /// Pausing before a restart.
        case waiting(until: Double)
        /// Given up: only an operator starts it again.
        case failed(reason: String)
    }

    let kind: RestartUnit
    /// Its places in the table.
    let slots: Range<Int>
    var phase = Phase.stopped
    var generation: UInt64 = 0
    /// Since when all its processes are ready.
    var readySince: Double?
    /// Times of the failures that count.
    var failures: [Double] = []
    /// Times of its deaths by signals from outside in the last minute.
    var outsideKills: [Double] = []
    /// What ended it now came from outside.
    var isKilledFromOutside = false
    /// Pauses made in a row.
    var streak = 0
    var lastPause = 0.0
}

/// An operator's restart that is not answered yet.
struct RestartCall: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case queued
        /// The processes were told to end then; TERM and KILL follow from it.
        case stopping(since: Double, term: Double, kill: Double, termSent: Bool, killSent: Bool)
        /// The next incarnation starts.
        case starting
    }

    let call: UInt64
    /// Units still to do; the first is under way unless `queued`.
    var units: [RestartUnit]
    var step = Step.queued
    /// What was done so far, in words.
    var done: [String] = []
}
