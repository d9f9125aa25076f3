internal import Ledger
internal import Messages
internal import Synchronization
internal import Values

/// Conversations that clients opened: for each turn the ids it left behind, so that a later one can go on from there.
///
/// Every change goes through a journal in the launcher's keeping, so that sessions outlive the front.
package final class SessionStore: Sendable {
    /// Most sessions at one time, and most turns that one session remembers.
    static let maximumSessions = 1024
    static let maximumTurns = 256

    private struct Turn {
        var parent: ClientName?
        var prompt: [Int32]
        var output: [Int32]
    }

    private struct Session {
        var turns: [ClientName: Turn] = [:]
        /// rids in the order of their ends.
        var order: [ClientName] = []
        var timeout: Double?
        var lastUse: Double

        mutating func add(_ turn: SessionTurn) {
            let rid = ClientName(turn.rid)
            if turns[rid] == nil { order.append(rid) }
            turns[rid] = Turn(
                parent: turn.hasParent ? ClientName(turn.parent) : nil, prompt: turn.prompt, output: turn.output)
            if order.count > SessionStore.maximumTurns { turns[order.removeFirst()] = nil }
        }

        mutating func forget(_ rids: Set<ClientName>) {
            for rid in rids { turns[rid] = nil }
            order.removeAll(where: rids.contains)
        }

        /// Turns that continue one, directly or not.
        func descendants(of rid: ClientName) -> [ClientName] {
            var family: Set<ClientName> = [rid]
            for later in order where turns[later]?.parent.map(family.contains) ?? false { family.insert(later) }
            family.remove(rid)
            return order.filter(family.contains)
        }

        /// What makes the same session of nothing.
        func records(id: ClientName) -> [SessionRecord] {
            let opened = SessionRecord.make {
                $0.session = id.text
                $0.opened = .make { if let timeout { $0.timeout = timeout } }
            }
            return [opened]
                + order.compactMap { rid in
                    guard let turn = turns[rid] else { return nil }
                    return .make {
                        $0.session = id.text
                        $0.turn = .make {
                            $0.rid = rid.text
                            if let parent = turn.parent { $0.parent = parent.text }
                            $0.prompt = turn.prompt
                            $0.output = turn.output
                        }
                    }
                }
        }
    }

    private struct State: ~Copyable {
        var sessions: [ClientName: Session] = [:]
        var journal: SessionJournal
        /// Bytes of the journal when it was last written anew.
        var leastSize = 1 << 24
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Double

    /// - Parameter descriptor: of the memory that holds the sessions of earlier fronts; nil for none.
    package init(descriptor: Int32?, clock: @escaping @Sendable () -> Double) {
        state = Mutex(State(journal: SessionJournal(descriptor: descriptor)))
        self.clock = clock
    }

    /// Opens a session; false when one with this id is open, or when there are too many.
    func open(_ id: ClientName, timeout: Double?, now: Double) -> Bool {
        update { sessions in
            var changes = sessions.filter { Self.isExpired($0.value, now: now) }.keys.map { Self.closing($0) }
            guard sessions[id].map({ Self.isExpired($0, now: now) }) ?? true,
                sessions.count - changes.count < Self.maximumSessions
            else { return (changes, false) }
            changes.append(
                .make {
                    $0.session = id.text
                    $0.opened = .make { if let timeout { $0.timeout = timeout } }
                })
            return (changes, true)
        }
    }

    /// Forgets a session, if it is there.
    func close(_ id: ClientName) { update { sessions in (sessions[id] == nil ? [] : [Self.closing(id)], ()) } }

    /// Puts the history in front of a request.
    func join(
        _ place: GenerateRequest.SessionPlace, _ opening: inout RequestLedger.Opening, now: Double
    ) throws(RequestFailure) {
        guard case .generate(var request) = opening.errand else { return }
        let history = update { sessions -> ([SessionRecord], Result<[Int32]?, RequestFailure>) in
            guard let session = sessions[place.id], !Self.isExpired(session, now: now) else {
                return ([], .failure(.refused("Invalid request: session id \(place.id) does not exist")))
            }
            sessions[place.id]?.lastUse = now
            guard let rid = place.rid else {
                return (place.replaces ? [Self.forgetting(session.order, in: place.id)] : [], .success(nil))
            }
            guard let turn = session.turns[rid] else {
                return (
                    [],
                    .failure(
                        .refused("Invalid request: requested session_params.rid=\(rid) does not exist in the session."))
                )
            }
            let gone = place.replaces ? session.descendants(of: rid) : []
            return (
                gone.isEmpty ? [] : [Self.forgetting(gone, in: place.id)],
                .success(place.dropsOutput ? turn.prompt : turn.prompt + turn.output)
            )
        }
        guard let history = try history.get() else { return }
        request.history = place.offset.map { Array(history.prefix(max(0, $0))) } ?? history
        request.plainText = true
        if case .ids? = request.prompt {
            // Ids follow the history as they are: the whole prompt is known here.
            request.ids.ids = request.history + request.ids.ids
            request.history = []
        }
        opening.errand = .generate(request)
    }

    /// Remembers a turn that ended; `row` knows the ids of its prompt.
    func keep(_ row: LedgerRow, at place: GenerateRequest.SessionPlace) {
        update { sessions in
            guard sessions[place.id] != nil, let prompt = row.output.promptIDs else { return ([], ()) }
            let record = SessionRecord.make {
                $0.session = place.id.text
                $0.turn = .make {
                    $0.rid = row.rid.text
                    if let parent = place.rid { $0.parent = parent.text }
                    $0.prompt = prompt
                    $0.output = row.output.ids
                }
            }
            return ([record], ())
        }
    }

    // MARK: Records

    /// Takes over what other fronts wrote, lets `body` decide on changes, writes these down and makes them.
    private func update<Answer: Sendable>(_ body: (inout [ClientName: Session]) -> ([SessionRecord], Answer)) -> Answer
    {
        let now = clock()
        return state.withLock { state in
            var sessions = state.sessions
            let leastSize = state.leastSize
            let (answer, rewritten) = state.journal.exclusively { journal in
                Self.catchUp(&sessions, with: &journal, now)
                let (changes, answer) = body(&sessions)
                for change in changes { journal.append(change) }
                Self.catchUp(&sessions, with: &journal, now)
                guard journal.size > 2 * leastSize else { return (answer, leastSize) }
                journal.replace(with: sessions.flatMap { $0.value.records(id: $0.key) })
                return (answer, max(leastSize, journal.size))
            }
            (state.sessions, state.leastSize) = (sessions, rewritten)
            return answer
        }
    }

    private static func catchUp(
        _ sessions: inout [ClientName: Session], with journal: inout SessionJournal, _ now: Double
    ) {
        let (fromStart, records) = journal.news()
        let known = sessions
        if fromStart { sessions = [:] }
        for record in records {
            let id = ClientName(record.session)
            switch record.change {
            case .opened(let opened)?:
                sessions[id] = Session(
                    timeout: opened.hasTimeout ? opened.timeout : nil,
                    lastUse: fromStart ? known[id]?.lastUse ?? now : now)
            case .turn(let turn)?: sessions[id]?.add(turn)
            case .forgotten(let turns)?: sessions[id]?.forget(Set(turns.rids.map { ClientName($0) }))
            case .closed?: sessions[id] = nil
            case nil: break
            }
        }
    }

    private static func closing(_ id: ClientName) -> SessionRecord {
        .make {
            $0.session = id.text
            $0.closed = true
        }
    }

    private static func forgetting(_ rids: [ClientName], in id: ClientName) -> SessionRecord {
        .make {
            $0.session = id.text
            $0.forgotten = .make { $0.rids = rids.map(\.text) }
        }
    }

    private static func isExpired(_ session: Session, now: Double) -> Bool {
        session.timeout.map { now - session.lastUse > $0 } ?? false
    }
}
