internal import Messages
internal import Synchronization

/// Conversations that clients opened: for each turn the ids it left behind, so that a later one can go on from there.
final class SessionStore: Sendable {
    /// Most sessions at one time, and most turns that one session remembers.
    static let maximumSessions = 1024
    static let maximumTurns = 256

    private struct Turn {
        var parent: String?
        var prompt: [Int32]
        var output: [Int32]
    }

    private struct Session {
        var turns: [String: Turn] = [:]
        /// rids in the order of their ends.
        var order: [String] = []
        var timeout: Double?
        var lastUse: Double
    }

    private let sessions = Mutex<[String: Session]>([:])

    /// Opens a session; false when one with this id is open, or when there are too many.
    func open(_ id: String, timeout: Double?, now: Double) -> Bool {
        sessions.withLock { sessions in
            sessions = sessions.filter { !Self.isExpired($0.value, now: now) }
            guard sessions[id] == nil, sessions.count < Self.maximumSessions else { return false }
            sessions[id] = Session(timeout: timeout, lastUse: now)
            return true
        }
    }

    /// Forgets a session, if it is there.
    func close(_ id: String) { sessions.withLock { $0[id] = nil } }

    /// Puts the history in front of a request.
    func join(_ place: GenerateRequest.SessionPlace, _ request: inout Generate, now: Double) throws(RequestFailure) {
        let history = sessions.withLock { sessions -> Result<[Int32]?, RequestFailure> in
            guard var session = sessions[place.id], !Self.isExpired(session, now: now) else {
                return .failure(.refused("Invalid request: session id \(place.id) does not exist"))
            }
            session.lastUse = now
            defer { sessions[place.id] = session }
            guard let rid = place.rid else {
                if place.replaces { (session.turns, session.order) = ([:], []) }
                return .success(nil)
            }
            guard let turn = session.turns[rid] else {
                return .failure(
                    .refused("Invalid request: requested session_params.rid=\(rid) does not exist in the session."))
            }
            if place.replaces { Self.forget(descendantsOf: rid, in: &session) }
            return .success(place.dropsOutput ? turn.prompt : turn.prompt + turn.output)
        }
        guard let history = try history.get() else { return }
        request.history = place.offset.map { Array(history.prefix(max(0, $0))) } ?? history
        request.plainText = true
        if case .ids? = request.prompt {
            // Ids follow the history as they are: the whole prompt is known here.
            request.ids.ids = request.history + request.ids.ids
            request.history = []
        }
    }

    /// Remembers a turn that ended; `row` knows the ids of its prompt.
    func keep(_ row: LedgerRow, in id: String) {
        sessions.withLock { sessions in
            guard sessions[id] != nil, let prompt = row.output.promptIDs else { return }
            sessions[id]?.turns[row.rid] = Turn(parent: nil, prompt: prompt, output: row.output.ids)
            sessions[id]?.order.append(row.rid)
            if let oldest = sessions[id]?.order.first, sessions[id]!.order.count > Self.maximumTurns {
                sessions[id]?.order.removeFirst()
                sessions[id]?.turns[oldest] = nil
            }
        }
    }

    private static func isExpired(_ session: Session, now: Double) -> Bool {
        session.timeout.map { now - session.lastUse > $0 } ?? false
    }

    private static func forget(descendantsOf rid: String, in session: inout Session) {
        var gone: Set<String> = [rid]
        for later in session.order where session.turns[later]?.parent.map(gone.contains) ?? false { gone.insert(later) }
        gone.remove(rid)
        for later in gone { session.turns[later] = nil }
        session.order.removeAll(where: gone.contains)
    }
}

extension RequestFailure {
    /// A refusal that the reference's scheduler makes (400).
    fileprivate static func refused(_ message: String) -> RequestFailure {
        RequestFailure(status: 400, message: message, shape: .semantic, fromWorker: true, errorType: "BadRequestError")
    }
}
