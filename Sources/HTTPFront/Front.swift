package import APICore
package import ChatAPI
internal import ChildRuntime
package import Ledger
package import Logging
package import Messages
internal import NativeAPI
internal import OperatorAPI
internal import ResponsesAPI
package import ServerSettings
internal import Synchronization
internal import Values

/// One front: the requests of its clients, what it knows of the other processes, and what it hears from them.
package final class Front: Sendable {
    let settings: FrontSettings
    /// What the model's files say.
    let model: ServedModel
    let log: Logger
    /// For access lines.
    let accessLog: Logger
    /// What the interfaces are made from.
    let services: FrontServices
    let http = HTTPMetrics()
    let bodies: BodyBudget
    private let generation: UInt64
    /// The worker that knows what operators ordered.
    private let obedient = Atomic<UInt64>(0)
    /// Which fronts were last said to live, and to whom.
    private let announced = Mutex<(living: [UInt64], to: PipeStatus.Incarnations)?>(nil)
    /// The processes to which orders went.
    private let asked = Mutex<PipeStatus.Incarnations?>(nil)
    private let send: @Sendable (TokenizerCommand) -> Void
    private let inFlight = Atomic<Int>(0)
    private let activity = Atomic<UInt64>(0)
    private let handingOver = Mutex<(hasBegun: Bool, listening: Listening?)>((false, nil))

    /// - Parameters:
    ///   - model: what the model's files say.
    ///   - generation: which incarnation of the front this is.
    ///   - sessions: descriptor of the memory for sessions, which the fronts before and after this one share; nil: none do.
    ///   - weights: descriptor of the memory that says which weights are served; nil: those of the start.
    ///   - clock: seconds since 1970.
    ///   - send: takes a command for the tokenizer manager without waiting.
    package init(
        settings: FrontSettings, model: ServedModel = ServedModel(), generation: UInt64, log: Logger, accessLog: Logger,
        patience: RequestLedger.Patience? = nil, sessions: Int32? = nil, weights: Int32? = nil,
        clock: @escaping @Sendable () -> Double = wallClockSeconds,
        send: @escaping @Sendable (TokenizerCommand) -> Void
    ) {
        self.settings = settings
        self.model = model
        self.log = log
        self.accessLog = accessLog
        self.send = send
        self.generation = generation
        let ledger = RequestLedger(
            generation: generation, patience: patience ?? .init(settings),
            metrics: RequestMetrics(MetricBuckets(settings), priorities: .init(settings)))
        services = Self.services(
            settings, ledger, FrontKeepsake(descriptor: sessions, clock: clock), generation, log,
            weights: weights, clock: clock, send: send)
        bodies = BodyBudget(limit: settings.maxBodyMemory ?? BodyBudget.sensibleLimit)
    }

    private static func services(
        _ settings: FrontSettings, _ ledger: RequestLedger, _ keepsake: FrontKeepsake, _ generation: UInt64,
        _ log: Logger, weights: Int32?,
        clock: @escaping @Sendable () -> Double, send: @escaping @Sendable (TokenizerCommand) -> Void
    ) -> FrontServices {
        let orders = keepsake.orders
        let board = HealthBoard(
            weights: WeightNames(
                descriptor: weights, orders: keepsake, path: settings.modelPath, version: settings.weightVersion),
            orders: orders)
        let requests = OpenRequests(ledger: ledger, clock: clock, send: send)
        let requestLog = RequestLog(log, .init(settings, orders))
        // With priorities the worker says who may wait: a new request may take the place of one that does.
        let queued = settings.enablePriorityScheduling ? nil : settings.maxQueuedRequests
        let running = settings.maxRunningRequests
        let gate = { @Sendable in
            AdmissionGate(queued: queued, running: board.view.model.map { Int($0.maxRunning) } ?? running)
        }
        return FrontServices(
            generation: generation, board: board, requests: requests,
            answering: Answering(requests, gate: gate, log: requestLog, clock: clock),
            questions: PipeQuestions(generation: generation, clock: clock, send: send), keepsake: keepsake,
            requestLog: requestLog,
            numbers: RequestNumbers(generation: generation), clock: clock)
    }

    // MARK: Events

    /// Something arrived from the other processes.
    package func handle(_ reply: FrontReply) {
        let (requests, questions) = (services.requests, services.questions)
        switch reply.reply {
        case .text(let batch)?: requests.handle { $0.receive(batch, now: $1) }
        case .vectors(let batch)?: requests.handle { $0.receive(batch, now: $1) }
        case .failure(let failure)?: requests.handle { $0.receive(failure, now: $1) }
        case .resubmit(let request)?: requests.handle { $0.receive(request, now: $1) }
        case .promptIds(let prompt)?:
            requests.handle { ledger, _ in
                ledger.receive(prompt)
                return []
            }
        case .control(let reply)?: questions.answer(reply)
        case .encoded(let reply)?: questions.answer(reply)
        case .decoded(let reply)?: questions.answer(reply)
        case .abortMatching(let abort)?:
            requests.handle { $0.abort(prefix: abort.hasPrefix ? ClientName(abort.prefix) : nil, now: $1) }
        case nil: log.error("empty reply")
        }
    }

    /// The launcher's table changed.
    package func handle(_ topology: Topology) {
        let status = PipeStatus(topology)
        announce(topology, to: status.incarnations)
        services.board.update(topology, at: monotonicMilliseconds())
        // Before the requests that go out now: they may have to wait.
        if status.isReady, isAccepting(topology) { remind(worker: status.incarnations.worker) }
        repeatOrders(status)
        services.requests.handle { $0.pipeChanged(to: status, now: $1) }
        if status.isReady, isAccepting(topology) {
            responses?.adopt(living: Set([generation] + topology.leaving.map(\.generation)), planner)
        }
    }

    /// Tells the other processes which fronts live, so that they drop what the others asked for; the accepting one tells it.
    private func announce(_ topology: Topology, to others: PipeStatus.Incarnations) {
        guard isAccepting(topology) else { return }
        let living = [generation] + topology.leaving.map(\.generation)
        announced.withLock { announced in
            if let announced, announced == (living, others) { return }
            announced = (living, others)
            send(.make { $0.livingFronts = .make { $0.generations = living } })
        }
    }

    /// Whether this front takes new connections, rather than one that took its place.
    private func isAccepting(_ topology: Topology) -> Bool {
        topology.processes.first { $0.role == .http }?.generation ?? generation == generation
    }

    /// What was ordered of processes that have ended since goes out to those in their places; it ends where nobody is started any more.
    private func repeatOrders(_ status: PipeStatus) {
        if status.failure != nil { return services.questions.giveUp() }
        guard status.isReady else { return }
        let before = asked.withLock { asked in
            defer { asked = status.incarnations }
            return asked
        }
        if let before, before != status.incarnations { services.questions.pipeChanged() }
    }

    /// Tells a worker that this front has not met what operators ordered: a new worker knows nothing of it, and the one there may
    /// not have heard the last word of an earlier front.
    private func remind(worker: UInt64) {
        guard obedient.exchange(worker, ordering: .relaxed) != worker, let orders = services.keepsake.orders else {
            return
        }
        if orders.hasReleased {
            let tags = orders.released.tags
            services.questions.tell {
                if tags.isEmpty {
                    $0.resumeMemory = .make { ($0.tags, $0.isStanding) = (ReleasedMemory.allTags, true) }
                } else {
                    $0.releaseMemory = .make { ($0.tags, $0.isStanding) = (tags, true) }
                }
            }
        }
        if orders.slowDown > 0 { services.questions.tell { $0.slowDown = orders.slowDown } }
        if settings.expertRecorderMode != nil {
            services.questions.tell { call in
                call.experts = .make { $0.action = orders.recordsExperts ? .resume : .rest }
            }
        }
        if !orders.hasPaused {
            services.questions.tell { $0.resume = true }
        } else {
            services.questions.tell { $0.pause = .make { $0.mode = .inPlace } }
        }
    }

    /// Time passes.
    package func tick() {
        services.requests.handle { $0.tick(now: $1) }
        services.questions.tick()
    }

    /// What is written about requests.
    package var requestLogChoices: RequestLog.Choices { services.requestLog.choices }

    /// Waits until what was written about requests has reached its files.
    package func settleLogs() { services.requestLog.settle() }

    /// Sub-requests that have not ended.
    package var openRequests: Int { services.requests.openCount }

    // MARK: Requests in work

    /// HTTP requests that are not answered in full.
    var requestsInFlight: Int { inFlight.load(ordering: .sequentiallyConsistent) }
    func requestBegins() { inFlight.wrappingAdd(1, ordering: .sequentiallyConsistent) }
    func requestEnds() {
        activity.store(services.clock().bitPattern, ordering: .relaxed)
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

extension RequestLog.Choices {
    /// What an operator asked of any front, else what the server was told at its start.
    fileprivate init(_ settings: FrontSettings, _ orders: StandingOrders?) {
        self.init(lines: settings.requestLog)
        guard let orders, orders.hasRequestLog else { return }
        let ordered = orders.requestLog
        (lines.isOn, lines.level) = (ordered.isOn, Int(ordered.level))
        lines.format = ordered.asJson ? .json : .text
        (dump.folder, dump.threshold) = (ordered.dumpFolder, max(1, Int(ordered.dumpThreshold)))
        dump.excludedKeys = ordered.dumpExcludedKeys
    }
}
