internal import ChildRuntime
internal import JSON
package import Logging
package import Messages
package import ServerSettings
internal import Synchronization

/// What all routes of one front share.
package final class Front: Sendable {
    let settings: FrontSettings
    let log: Logger
    /// For access lines.
    let accessLog: Logger
    let board: HealthBoard
    let table: RequestTable
    let controls: PendingCalls<ControlReply>
    let encodings: PendingCalls<EncodeReply>
    let decodings: PendingCalls<DecodeReply>
    let sessions: SessionStore
    let http: HTTPMetrics
    let bodies: BodyBudget
    /// Sampling parameters for requests that name none.
    let preferred: JSONObject
    /// Seconds since 1970 at which this front began.
    let started: Double
    let clock: @Sendable () -> Double
    /// What the worker last told of itself, for /metrics.
    let lastWorkerState = Mutex<WorkerState?>(nil)
    private let generation: UInt64
    /// Which fronts were last said to live, and to whom.
    private let announced = Mutex<(living: [UInt64], to: PipeStatus.Incarnations)?>(nil)
    private let send: @Sendable (TokenizerCommand) -> Void
    private let serials: Atomic<UInt64>
    private let inFlight = Atomic<Int>(0)
    private let activity = Atomic<UInt64>(0)
    private let handingOver = Mutex<(hasBegun: Bool, listening: Listening?)>((false, nil))
    private let isLoggingRequests = Atomic(false)

    /// - Parameters:
    ///   - generation: which incarnation of the front this is.
    ///   - sessions: descriptor of the memory for sessions, which the fronts before and after this one share; nil: none do.
    ///   - send: takes a command for the tokenizer manager without waiting.
    package init(
        settings: FrontSettings, generation: UInt64, log: Logger, accessLog: Logger,
        patience: RequestLedger.Patience? = nil, sessions: Int32? = nil,
        clock: @escaping @Sendable () -> Double = wallClockSeconds,
        send: @escaping @Sendable (TokenizerCommand) -> Void
    ) {
        self.settings = settings
        self.log = log
        self.accessLog = accessLog
        self.clock = clock
        self.send = send
        let patience = patience ?? RequestLedger.Patience(settings)
        board = HealthBoard(weightVersion: settings.weightVersion)
        table = RequestTable(
            ledger: RequestLedger(generation: generation, patience: patience, buckets: MetricBuckets(settings)),
            clock: clock, send: send)
        http = HTTPMetrics()
        bodies = BodyBudget(limit: settings.maxBodyMemory ?? BodyBudget.sensibleLimit)
        controls = PendingCalls(generation: generation, clock: clock)
        encodings = PendingCalls(generation: generation, clock: clock)
        decodings = PendingCalls(generation: generation, clock: clock)
        self.sessions = SessionStore(descriptor: sessions, clock: clock)
        preferred = settings.preferredSamplingParams.flatMap { try? JSON.parse($0).objectValue } ?? [:]
        started = clock()
        self.generation = generation
        serials = Atomic(FrontGeneration.base(generation))
    }

    // MARK: Events

    /// Something arrived from the other processes.
    package func handle(_ reply: FrontReply) {
        switch reply.reply {
        case .text(let batch)?: table.handle { $0.receive(batch, now: $1) }
        case .failure(let failure)?: table.handle { $0.receive(failure, now: $1) }
        case .resubmit(let request)?: table.handle { $0.receive(request, now: $1) }
        case .promptIds(let prompt)?:
            table.handle { ledger, _ in
                ledger.receive(prompt)
                return []
            }
        case .control(let reply)?: controls.answer(reply.call, reply)
        case .encoded(let reply)?: encodings.answer(reply.call, reply)
        case .decoded(let reply)?: decodings.answer(reply.call, reply)
        case nil: log.error("empty reply")
        }
    }

    /// The launcher's table changed.
    package func handle(_ topology: Topology) {
        let status = PipeStatus(topology)
        announce(topology, to: status.incarnations)
        board.update(topology, at: monotonicMilliseconds())
        table.handle { $0.pipeChanged(to: status, now: $1) }
    }

    /// Tells the other processes which fronts live, so that they drop what the others asked for; the accepting one tells it.
    private func announce(_ topology: Topology, to others: PipeStatus.Incarnations) {
        let accepting = topology.processes.first { $0.role == .http }?.generation ?? generation
        guard accepting == generation else { return }
        let living = [generation] + topology.leaving.map(\.generation)
        announced.withLock { announced in
            if let announced, announced == (living, others) { return }
            announced = (living, others)
            send(.make { $0.livingFronts = .make { $0.generations = living } })
        }
    }

    /// Time passes.
    package func tick() {
        table.handle { $0.tick(now: $1) }
        controls.tick()
        encodings.tick()
        decodings.tick()
    }

    // MARK: Questions

    /// Asks the worker; nil when it does not answer within `patience` seconds.
    func control(patience: Double, _ fill: (inout ControlCall) -> Void) async -> ControlReply? {
        await controls.ask(patience: patience) { number in
            send(
                .make {
                    $0.control = .make {
                        fill(&$0)
                        $0.call = number
                    }
                })
        }
    }

    /// Tokenizes; nil when the tokenizer manager does not answer.
    func encode(_ texts: [String], addSpecialTokens: Bool, patience: Double = 30) async -> EncodeReply? {
        await encodings.ask(patience: patience) { number in
            send(
                .make {
                    $0.encode = .make {
                        $0.call = number
                        $0.texts = texts
                        $0.addSpecialTokens = addSpecialTokens
                    }
                })
        }
    }

    /// Turns ids into text; nil when the tokenizer manager does not answer.
    func decode(_ lists: [[Int32]], skipSpecialTokens: Bool, patience: Double = 30) async -> DecodeReply? {
        await decodings.ask(patience: patience) { number in
            send(
                .make {
                    $0.decode = .make {
                        $0.call = number
                        $0.lists = lists.map { ids in .make { $0.ids = ids } }
                        $0.skipSpecialTokens = skipSpecialTokens
                    }
                })
        }
    }

    /// Sub-requests that have not ended.
    package var openRequests: Int { table.openCount }

    /// How many requests may come in now.
    var gate: AdmissionGate {
        let running = board.view.model.map { Int($0.maxRunning) } ?? settings.maxRunningRequests ?? 0
        return AdmissionGate(queued: settings.maxQueuedRequests, running: running)
    }

    /// What was counted of all sub-requests so far.
    var requestMetrics: RequestMetrics { table.metrics }

    /// A number that no other request of the server has.
    func nextSerial() -> UInt64 { serials.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Whether each request gets its own log lines.
    var logsRequests: Bool { isLoggingRequests.load(ordering: .relaxed) }
    func logRequests(_ isOn: Bool) { isLoggingRequests.store(isOn, ordering: .relaxed) }

    // MARK: Requests in work

    /// HTTP requests that are not answered in full.
    var requestsInFlight: Int { inFlight.load(ordering: .sequentiallyConsistent) }
    func requestBegins() { inFlight.wrappingAdd(1, ordering: .sequentiallyConsistent) }
    func requestEnds() {
        activity.store(clock().bitPattern, ordering: .relaxed)
        inFlight.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
    /// Seconds since 1970 at which a request ended last.
    var lastActivity: Double { Double(bitPattern: activity.load(ordering: .relaxed)) }

    // MARK: Another front takes over

    /// The clients' side, as handing over sees it.
    struct Listening: Sendable {
        /// Stops accepting.
        var close: @Sendable () -> Void
        /// Connections that are there.
        var connections: @Sendable () -> Int
    }

    /// Stops to accept connections; those there are get their answers and are asked to go.
    func handOver() {
        let listening = handingOver.withLock { state in
            state.hasBegun = true
            return state.listening
        }
        listening?.close()
    }

    /// Another front takes over.
    var isHandingOver: Bool { handingOver.withLock { $0.hasBegun } }

    /// No client is connected any more.
    var isDeserted: Bool { requestsInFlight == 0 && handingOver.withLock { $0.listening?.connections() == 0 } }

    /// How to stop accepting; done at once where that was asked for already.
    func onHandOver(_ listening: Listening) {
        let isLate = handingOver.withLock { state in
            state.listening = listening
            return state.hasBegun
        }
        if isLate { listening.close() }
    }
}
