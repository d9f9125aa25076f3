package import Messages
internal import Synchronization

/// The ledger as threads share it: every event is one short lock, and commands leave in the order of the events.
package final class OpenRequests: Sendable {
    private struct State {
        var ledger: RequestLedger
        var signals: [UInt64: Signal] = [:]
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Double
    private let send: @Sendable (TokenizerCommand) -> Void

    /// - Parameter send: takes a command for the tokenizer manager without waiting.
    package init(
        ledger: RequestLedger, clock: @escaping @Sendable () -> Double,
        send: @escaping @Sendable (TokenizerCommand) -> Void
    ) {
        state = Mutex(State(ledger: ledger))
        self.clock = clock
        self.send = send
    }

    /// Opens the rows of an HTTP request, if the gate lets them in.
    package func open(
        _ openings: [RequestLedger.Opening], _ gate: AdmissionGate
    ) throws(RequestFailure) -> OpenRequest {
        let now = clock()
        let outcome = state.withLock { state -> Result<OpenRequest, RequestFailure> in
            do throws(RequestFailure) {
                try gate.admit(openings.count, behind: state.ledger.openCount)
                let (group, effects) = try state.ledger.open(openings, now: now)
                let signal = Signal()
                state.signals[group] = signal
                perform(effects, &state)
                return .success(OpenRequest(group: group, signal: signal, requests: self))
            } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    /// Forgets an HTTP request and gives up what is still open of it.
    package func close(_ group: UInt64) {
        state.withLock { state in
            let signal = state.signals.removeValue(forKey: group)
            perform(state.ledger.close(group), &state)
            signal?.notify()
        }
    }

    /// Rows with news; see the ledger. Asking for them says that the client reads.
    package func take(_ group: UInt64) -> [LedgerRow] {
        let now = clock()
        return state.withLock { state in
            perform(state.ledger.reads(group, now: now), &state)
            return state.ledger.take(group)
        }
    }

    /// The client of a stream does not read; whether its work was set aside for that.
    package func setAside(_ group: UInt64) -> Bool {
        state.withLock { state in
            let effects = state.ledger.parkUnread(group)
            perform(effects, &state)
            return !effects.isEmpty
        }
    }

    /// Whether the group is open or settled but not yet closed.
    package func contains(_ group: UInt64) -> Bool { state.withLock { $0.ledger.contains(group) } }

    /// The rows of a group, once its answer is known or the group is gone; nil before.
    package func settled(_ group: UInt64) -> [LedgerRow]? {
        state.withLock { $0.ledger.isSettled(group) ? $0.ledger.rows(of: group) : nil }
    }

    /// What was counted of all rows so far.
    package var metrics: RequestMetrics { state.withLock { $0.ledger.metrics } }

    /// Rows that have not ended.
    package var openCount: Int { state.withLock { $0.ledger.openCount } }

    /// Something happened that the ledger should know; `event` gets the time.
    package func handle(_ event: (inout RequestLedger, Double) -> [RequestLedger.Effect]) {
        let now = clock()
        state.withLock { state in perform(event(&state.ledger, now), &state) }
    }

    private func perform(_ effects: [RequestLedger.Effect], _ state: inout State) {
        // Requests for vectors travel together.
        var embeds = Embeds()
        func sendEmbeds() {
            guard !embeds.requests.isEmpty else { return }
            send(.make { $0.embeds = embeds })
            embeds.requests = []
        }
        for effect in effects {
            switch effect {
            case .send(let command):
                if case .embeds(let more)? = command.command {
                    embeds.requests += more.requests
                } else {
                    sendEmbeds()
                    send(command)
                }
            case .wake(let group): state.signals[group]?.notify()
            }
        }
        sendEmbeds()
    }
}

/// An HTTP request that has rows among the open ones; close it on every way out.
package struct OpenRequest: Sendable {
    private let group: UInt64
    private let signal: Signal
    private let requests: OpenRequests

    init(group: UInt64, signal: Signal, requests: OpenRequests) {
        self.group = group
        self.signal = signal
        self.requests = requests
    }

    /// Waits until the answer is known: all rows have ended, or one has failed.
    ///
    /// - Throws: `ClientGone` when the request was closed in the meantime.
    package func settled() async throws(ClientGone) -> [LedgerRow] {
        while true {
            if let rows = requests.settled(group) {
                guard requests.contains(group) else { throw ClientGone() }
                return rows
            }
            await signal.wait()
        }
    }

    /// Waits for news of rows.
    ///
    /// - Throws: `ClientGone` when the request was closed in the meantime.
    package func news() async throws(ClientGone) -> [LedgerRow] {
        while true {
            let rows = requests.take(group)
            if !rows.isEmpty { return rows }
            guard requests.contains(group) else { throw ClientGone() }
            await signal.wait()
        }
    }

    /// The client does not read; whether its work was set aside for that.
    package func setAside() -> Bool { requests.setAside(group) }

    /// Nothing more will come: the request was closed, or its answer is known.
    package var isOver: Bool { !requests.contains(group) || requests.settled(group) != nil }

    /// Waits until something happened to the request, or `wake` was called.
    package func wait() async { await signal.wait() }

    /// Ends a wait.
    package func wake() { signal.notify() }

    /// Forgets the request and gives up what is open of it.
    package func close() { requests.close(group) }
}

/// Nobody is there to be answered any more.
package struct ClientGone: Error {
    package init() {}
}
