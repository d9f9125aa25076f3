internal import Messages

/// Restarts on an operator's demand: one unit after the other, each ready before the next is touched.
extension SupervisorState {
    /// The order of a rolling restart.
    private static let rollingOrder: [RestartUnit] = [.detokenizer, .tokenizerManager, .workers, .front]

    mutating func askedToRestart(_ call: UInt64, _ unit: RestartUnit?, _ now: Double) {
        guard ending == .none else { return answer(call, false, "the server is stopping") }
        guard hasServed else { return answer(call, false, "the server has not finished its first start") }
        restarts.append(RestartCall(call: call, units: unit.map { [$0] } ?? Self.rollingOrder))
        advanceRestarts(now)
    }

    /// Takes the next step of the first call in the queue.
    mutating func advanceRestarts(_ now: Double) {
        guard ending == .none, let current = restarts.first else { return }
        guard let kind = current.units.first else {
            restarts.removeFirst()
            answer(current.call, true, current.done.joined(separator: "; "))
            return advanceRestarts(now)
        }
        switch current.step {
        case .queued: beginRestart(kind, now)
        case .stopping: hastenRestart(kind, now)
        case .starting: break
        }
    }

    private mutating func beginRestart(_ kind: RestartUnit, _ now: Double) {
        let unit = kind.rawValue
        units[unit].failures = []
        (units[unit].streak, units[unit].lastPause) = (0, 0)
        switch units[unit].phase {
        case .running:
            log(.info, "restarting \(name(of: unit)) as asked")
            if kind == .front, slots[units[unit].slots.lowerBound].state == .ready {
                retireFront(now)
                units[unit].phase = .stopped
                restarts[0].step = .starting
                return spawn(kind, now)
            }
            units[unit].phase = .ending(failed: nil)
            restarts[0].step = .stopping(
                since: now, term: now + policy.termAfter, kill: now + policy.killAfter, termSent: false, killSent: false
            )
            for slot in units[unit].slots where slots[slot].isOccupied {
                guard slots[slot].state != .spawned else { kill(slot, .terminate); continue }
                actions.append(.stop(slots[slot].id))
                setState(slot, .draining, now)
            }
        case .ending:
            // It is going down already; its next incarnation is the one asked for.
            units[unit].phase = .ending(failed: nil)
            restarts[0].step = .starting
        case .waiting, .failed, .stopped:
            units[unit].phase = .stopped
            restarts[0].step = .starting
            spawn(kind, now)
        }
    }

    private mutating func hastenRestart(_ kind: RestartUnit, _ now: Double) {
        guard case .stopping(let since, let term, let killTime, let termSent, let killSent) = restarts[0].step else {
            return
        }
        // The next incarnation is there already.
        guard units[kind.rawValue].phase == .ending(failed: nil) else { restarts[0].step = .starting; return }
        if now >= killTime, !killSent {
            for slot in units[kind.rawValue].slots { kill(slot, .kill) }
        } else if now >= term, !termSent {
            for slot in units[kind.rawValue].slots { kill(slot, .terminate) }
        }
        restarts[0].step = .stopping(
            since: since, term: term, kill: killTime, termSent: termSent || now >= term,
            killSent: killSent || now >= killTime)
    }

    /// All processes of a unit are ready: that may be what a call waits for.
    mutating func unitBecameReady(_ kind: RestartUnit, _ now: Double) {
        guard let current = restarts.first, current.units.first == kind, current.step != .queued else { return }
        for slot in units[kind.rawValue].slots {
            restarts[0].done.append(
                "\(slots[slot].title) restarted (pid \(slots[slot].pid ?? 0), generation \(slots[slot].generation))")
        }
        restarts[0].units.removeFirst()
        restarts[0].step = .queued
        advanceRestarts(now)
    }

    /// The unit died again before it was ready: the call that restarts it has failed.
    mutating func failRestartCall(_ kind: RestartUnit, _ reason: String) {
        guard let current = restarts.first, current.units.first == kind, current.step != .queued else { return }
        restarts.removeFirst()
        answer(current.call, false, "\(name(of: kind.rawValue)) did not come up again: \(reason)")
    }

    mutating func failAllRestartCalls(_ reason: String) {
        for call in restarts { answer(call.call, false, reason) }
        restarts = []
    }

    private mutating func answer(_ call: UInt64, _ success: Bool, _ message: String) {
        actions.append(.answer(call: call, success: success, message: message))
    }
}
