internal import Messages
package import Values

/// Where a session's next turn goes on.
package struct SessionPlace: Sendable, Equatable {
    package var id: ClientName
    /// The earlier request that is continued; nil starts anew.
    package var rid: ClientName?
    /// Position in the history at which the new input starts; nil: at its end.
    package var offset: Int?
    package var replaces: Bool
    package var dropsOutput: Bool

    package init(id: ClientName, rid: ClientName?, offset: Int?, replaces: Bool, dropsOutput: Bool) {
        self.id = id
        self.rid = rid
        self.offset = offset
        self.replaces = replaces
        self.dropsOutput = dropsOutput
    }
}

/// A conversation that a client opened: for each turn the ids it left behind, so that a later one can go on from there.
struct Session: Sendable {
    /// What a request of the session left behind.
    struct Turn: Sendable {
        var parent: ClientName?
        var prompt: [Int32]
        var output: [Int32]
    }

    /// Most turns that one session remembers.
    static let maximumTurns = 256

    private(set) var turns: [ClientName: Turn] = [:]
    /// Their names in the order of their ends.
    private(set) var order: [ClientName] = []
    let timeout: Double?
    var lastUse: Double

    /// A session without turns.
    init(timeout: Double?, lastUse: Double) {
        self.timeout = timeout
        self.lastUse = lastUse
    }

    /// Nobody has used it for too long.
    func isExpired(now: Double) -> Bool { timeout.map { now - lastUse > $0 } ?? false }

    mutating func add(_ turn: SessionTurn) {
        let rid = ClientName(turn.rid)
        if turns[rid] == nil { order.append(rid) }
        turns[rid] = Turn(
            parent: turn.hasParent ? ClientName(turn.parent) : nil, prompt: turn.prompt, output: turn.output)
        if order.count > Self.maximumTurns { turns[order.removeFirst()] = nil }
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
            + order.compactMap { rid in turns[rid].map { .turn(rid, $0, in: id) } }
    }
}

extension SessionRecord {
    /// A turn has ended.
    static func turn(_ rid: ClientName, _ turn: Session.Turn, in id: ClientName) -> SessionRecord {
        .make {
            $0.session = id.text
            $0.turn = .make {
                $0.rid = rid.text
                if let parent = turn.parent { $0.parent = parent.text }
                $0.prompt = turn.prompt
                $0.output = turn.output
            }
        }
    }

    /// A session is closed.
    static func closing(_ id: ClientName) -> SessionRecord {
        .make {
            $0.session = id.text
            $0.closed = true
        }
    }

    /// Turns are gone.
    static func forgetting(_ rids: [ClientName], in id: ClientName) -> SessionRecord {
        .make {
            $0.session = id.text
            $0.forgotten = .make { $0.rids = rids.map(\.text) }
        }
    }
}
