package import Messages
internal import Synchronization
package import Values

/// What outlives the front: its clients' sessions, the responses that they may ask for again, and what operators ordered.
///
/// Every change goes through a journal in the launcher's keeping, which the fronts before and after share, and two at a time.
package final class FrontKeepsake: Sendable {
    /// Most sessions at one time.
    static let maximumSessions = 1024

    /// What the records add up to.
    struct Contents: Sendable {
        var sessions: [ClientName: Session] = [:]
        var responses = ResponseShelf()
        /// nil: no operator has ordered anything yet.
        var orders: StandingOrders?

        /// Records that add up to the same.
        var records: [SessionRecord] {
            sessions.flatMap { $0.value.records(id: $0.key) } + responses.records
                + [orders].compactMap { $0 }.map { orders in
                    .make { $0.orders = orders }
                }
        }
    }

    private struct State: ~Copyable {
        var contents = Contents()
        var journal: KeepsakeJournal
        /// Bytes of the journal when it was last written anew.
        var leastSize = 1 << 24
    }

    private let state: Mutex<State>
    /// Seconds since 1970.
    let clock: @Sendable () -> Double

    /// - Parameters:
    ///   - descriptor: of the memory that earlier fronts wrote; nil for none.
    ///   - clock: seconds since 1970.
    package init(descriptor: Int32?, clock: @escaping @Sendable () -> Double) {
        state = Mutex(State(journal: KeepsakeJournal(descriptor: descriptor)))
        self.clock = clock
    }

    // MARK: Operators

    /// What operators ordered of any front; nil: nothing yet.
    package var orders: StandingOrders? { update { ([], $0.orders) } }

    /// Changes what holds until somebody says otherwise.
    package func order(_ change: (inout StandingOrders) -> Void) {
        update { contents in
            var orders = contents.orders ?? StandingOrders()
            change(&orders)
            return ([.make { $0.orders = orders }], ())
        }
    }

    // MARK: Sessions

    /// Opens a session; false when one with this id is open, or when there are too many.
    package func open(_ id: ClientName, timeout: Double?) -> Bool {
        let now = clock()
        return update { contents in
            var changes = contents.sessions.filter { $0.value.isExpired(now: now) }.keys.map {
                SessionRecord.closing($0)
            }
            guard contents.sessions[id].map({ $0.isExpired(now: now) }) ?? true,
                contents.sessions.count - changes.count < Self.maximumSessions
            else { return (changes, false) }
            changes += Session(timeout: timeout, lastUse: now).records(id: id)
            return (changes, true)
        }
    }

    /// Forgets a session, if it is there.
    package func close(_ id: ClientName) {
        update { contents in (contents.sessions[id] == nil ? [] : [.closing(id)], ()) }
    }

    /// Puts the history in front of a request.
    package func join(_ place: SessionPlace, _ opening: inout RequestLedger.Opening) throws(RequestFailure) {
        guard case .generate(var request) = opening.errand else { return }
        guard let history = try history(at: place).get() else { return }
        request.history = place.offset.map { Array(history.prefix(max(0, $0))) } ?? history
        request.plainText = true
        if case .ids? = request.prompt {
            // Ids follow the history as they are: the whole prompt is known here.
            request.ids.ids = request.history + request.ids.ids
            request.history = []
        }
        opening.errand = .generate(request)
    }

    /// The ids before a place, nil for a new beginning; what a replaced turn led to is forgotten.
    private func history(at place: SessionPlace) -> Result<[Int32]?, RequestFailure> {
        let now = clock()
        return update { contents in
            guard let session = contents.sessions[place.id], !session.isExpired(now: now) else {
                return ([], .failure(.refused("Invalid request: session id \(place.id) does not exist")))
            }
            contents.sessions[place.id]?.lastUse = now
            guard let rid = place.rid else {
                return (place.replaces ? [.forgetting(session.order, in: place.id)] : [], .success(nil))
            }
            guard let turn = session.turns[rid] else {
                let text = "Invalid request: requested session_params.rid=\(rid) does not exist in the session."
                return ([], .failure(.refused(text)))
            }
            let gone = place.replaces ? session.descendants(of: rid) : []
            return (
                gone.isEmpty ? [] : [.forgetting(gone, in: place.id)],
                .success(place.dropsOutput ? turn.prompt : turn.prompt + turn.output)
            )
        }
    }

    /// Remembers a turn that ended; `row` knows the ids of its prompt.
    package func keep(_ row: LedgerRow, at place: SessionPlace) {
        update { contents in
            guard contents.sessions[place.id] != nil, let prompt = row.output.promptIDs else { return ([], ()) }
            let turn = Session.Turn(parent: place.rid, prompt: prompt, output: row.output.ids)
            return ([.turn(row.rid, turn, in: place.id)], ())
        }
    }

    // MARK: Records

    /// Takes over what other fronts wrote, lets `body` decide on changes, writes these down and makes them.
    func update<Answer: Sendable>(_ body: (inout Contents) -> ([SessionRecord], Answer)) -> Answer {
        let now = clock()
        return state.withLock { state in
            var contents = state.contents
            let leastSize = state.leastSize
            let (answer, rewritten) = state.journal.exclusively { journal in
                Self.catchUp(&contents, with: &journal, now)
                let (changes, answer) = body(&contents)
                for change in changes { journal.append(change) }
                Self.catchUp(&contents, with: &journal, now)
                guard journal.size > 2 * leastSize else { return (answer, leastSize) }
                journal.replace(with: contents.records)
                return (answer, max(leastSize, journal.size))
            }
            (state.contents, state.leastSize) = (contents, rewritten)
            return answer
        }
    }

    private static func catchUp(_ contents: inout Contents, with journal: inout KeepsakeJournal, _ now: Double) {
        let (fromStart, records) = journal.news()
        let known = contents.sessions
        if fromStart { contents = Contents() }
        for record in records {
            let id = ClientName(record.session)
            switch record.change {
            case .opened(let opened)?:
                contents.sessions[id] = Session(
                    timeout: opened.hasTimeout ? opened.timeout : nil,
                    lastUse: fromStart ? known[id]?.lastUse ?? now : now)
            case .turn(let turn)?: contents.sessions[id]?.add(turn)
            case .forgotten(let turns)?: contents.sessions[id]?.forget(Set(turns.rids.map { ClientName($0) }))
            case .closed?: contents.sessions[id] = nil
            case .orders(let orders)?: contents.orders = orders
            case .response(let response)?: contents.responses.put(response, as: record.session)
            case .responseDeleted?: contents.responses.remove(record.session)
            case nil: break
            }
        }
    }
}
