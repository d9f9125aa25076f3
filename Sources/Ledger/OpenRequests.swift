internal import Messages
internal import Synchronization

/// The ledger as threads share it: every event is one short lock, and commands leave in the order of the events.
final class RequestTable: Sendable {
    private struct State {
        var ledger: RequestLedger
        var signals: [UInt64: Signal] = [:]
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Double
    private let send: @Sendable (TokenizerCommand) -> Void

    /// - Parameter send: takes a command for the tokenizer manager without waiting.
    init(
        ledger: RequestLedger, clock: @escaping @Sendable () -> Double,
        send: @escaping @Sendable (TokenizerCommand) -> Void
    ) {
        state = Mutex(State(ledger: ledger))
        self.clock = clock
        self.send = send
    }

    /// Opens the rows of an HTTP request, if the gate lets them in.
    func open(_ openings: [RequestLedger.Opening], _ gate: AdmissionGate) throws(RequestFailure) -> OpenRequest {
        let now = clock()
        let outcome = state.withLock { state -> Result<OpenRequest, RequestFailure> in
            do throws(RequestFailure) {
                try gate.admit(openings.count, behind: state.ledger.openCount)
                let (group, effects) = try state.ledger.open(openings, now: now)
                let signal = Signal()
                state.signals[group] = signal
                perform(effects, &state)
                return .success(OpenRequest(group: group, signal: signal, table: self))
            } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    /// Forgets an HTTP request and gives up what is still open of it.
    func close(_ group: UInt64) {
        state.withLock { state in
            let signal = state.signals.removeValue(forKey: group)
            perform(state.ledger.close(group), &state)
            signal?.notify()
        }
    }

    /// Rows with news; see the ledger. Asking for them says that the client reads.
    func take(_ group: UInt64) -> [LedgerRow] {
        let now = clock()
        return state.withLock { state in
            perform(state.ledger.reads(group, now: now), &state)
            return state.ledger.take(group)
        }
    }

    /// The client of a stream does not read; whether its work was set aside for that.
    func setAside(_ group: UInt64) -> Bool {
        state.withLock { state in
            let effects = state.ledger.parkUnread(group)
            perform(effects, &state)
            return !effects.isEmpty
        }
    }

    /// Whether the group is open or settled but not yet closed.
    func contains(_ group: UInt64) -> Bool { state.withLock { $0.ledger.contains(group) } }

    /// The rows of a group, once its answer is known or the group is gone; nil before.
    func settled(_ group: UInt64) -> [LedgerRow]? {
        state.withLock { $0.ledger.isSettled(group) ? $0.ledger.rows(of: group) : nil }
    }

    /// What was counted of all rows so far.
    var metrics: RequestMetrics { state.withLock { $0.ledger.metrics } }

    /// Rows that have not ended.
    var openCount: Int { state.withLock { $0.ledger.openCount } }

    /// Something happened that the ledger should know; `event` gets the time.
    func handle(_ event: (inout RequestLedger, Double) -> [RequestLedger.Effect]) {
        let now = clock()
        state.withLock { state in perform(event(&state.ledger, now), &state) }
    }

    private func perform(_ effects: [RequestLedger.Effect], _ state: inout State) {
        for effect in effects {
            switch effect {
            case .send(let command): send(command)
            case .wake(let group): state.signals[group]?.notify()
            }
        }
    }
}

/// An HTTP request that has rows in the table; close it on every way out.
struct OpenRequest: Sendable {
    let group: UInt64
    let signal: Signal
    let table: RequestTable

    /// Waits until the answer is known: all rows have ended, or one has failed.
    ///
    /// - Throws: `ClientGone` when the request was closed in the meantime.
    func settled() async throws(ClientGone) -> [LedgerRow] {
        while true {
            if let rows = table.settled(group) {
                guard table.contains(group) else { throw ClientGone() }
                return rows
            }
            await signal.wait()
        }
    }

    /// Waits for news of rows.
    ///
    /// - Throws: `ClientGone` when the request was closed in the meantime.
    func news() async throws(ClientGone) -> [LedgerRow] {
        while true {
            let rows = table.take(group)
            if !rows.isEmpty { return rows }
            guard table.contains(group) else { throw ClientGone() }
            await signal.wait()
        }
    }

    /// Has a stream whose client does not read wait until it does, if it is in the way of others; at most `limit` seconds.
    func letCatchUp(_ watch: inout ReadingWatch, on connection: ClientConnection, limit: Double, clock: () -> Double)
        async
    {
        guard table.setAside(group) else { return }
        connection.mayGo(true)
        // Small gains a kernel does not tell by itself.
        connection.keepAsking(true)
        let end = clock() + limit
        while table.contains(group), table.settled(group) == nil, clock() < end {
            connection.after(seconds: ReadingWatch.interval) { [signal] in signal.notify() }
            await signal.wait()
            if watch.hasRead(now: clock()) { break }
        }
        connection.keepAsking(false)
        connection.mayGo(false)
    }

    func close() { table.close(group) }
}

/// Nobody is there to be answered any more.
struct ClientGone: Error {}
