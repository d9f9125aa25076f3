internal import Messages

/// Clients that do not read: nobody computes, and holds cache, for them, until they read again.
extension RequestLedger {
    /// More rows are being computed than share the machine without loss to each other.
    var isCrowded: Bool { openCount - parkedCount > patience.crowd }

    /// Parks streams whose buffers are full because their client has not read for a while.
    mutating func parkBlocked(now: Double) -> [Effect] {
        var effects: [Effect] = []
        for (key, group) in groups {
            guard let since = group.dirtySince, now - since > patience.unread else { continue }
            effects += park(key)
            // Looked at once for each pause of the client.
            groups[key]?.dirtySince = .infinity
        }
        return effects
    }

    /// Parks the rows of a stream whose client does not read, if there are so many that they slow others down. Where there is
    /// room, the buffers may fill first: who reads several streams one after the other then finds them all well on.
    package mutating func parkUnread(_ group: UInt64) -> [Effect] { isCrowded ? park(group) : [] }

    private mutating func park(_ group: UInt64) -> [Effect] {
        var effects: [Effect] = []
        for id in groups[group]?.rows ?? [] {
            guard var row = rows[id], row.errand.isStreamed, case .dispatched(let trials, _, nil) = row.state else {
                continue
            }
            row.state = .parked(trials)
            parkedCount += 1
            effects.append(.send(abortCommand(row, wantsAnswer: false)))
            row.errand.begin(after: row.output)
            rows[id] = row
        }
        return effects
    }

    /// The client reads again: its parked rows go on where they were.
    package mutating func reads(_ group: UInt64, now: Double) -> [Effect] {
        var effects: [Effect] = []
        for id in groups[group]?.rows ?? [] {
            guard case .parked(let trials)? = rows[id]?.state else { continue }
            rows[id]?.state = .held(trials, since: now)
            parkedCount -= 1
            if pipe.isReady { effects += resume(id, now: now) }
        }
        return effects
    }
}
