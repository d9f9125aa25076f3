internal import Messages

/// What follows a death: replace, pause, give up, or end.
extension SupervisorState {
    /// A process of the unit is gone: end the others, and when none is left decide.
    mutating func lost(_ unit: Int, because reason: String, _ slot: Int, _ now: Double) {
        if units[unit].phase == .running {
            units[unit].phase = .ending(failed: reason)
            units[unit].isKilledFromOutside = slots[slot].lastExit?.isOwnFault == false
            for peer in units[unit].slots where peer != slot && slots[peer].isOccupied {
                slots[peer].killReason = "ended together with \(slots[slot].title)"
                kill(peer, .kill)
            }
        }
        guard case .ending(let failed) = units[unit].phase,
            units[unit].slots.allSatisfy({ !slots[$0].isOccupied })
        else { return }
        guard let failed else { return spawn(units[unit].kind, now) }
        decide(unit, failed, now)
    }

    /// All processes of a unit that failed are gone.
    private mutating func decide(_ unit: Int, _ reason: String, _ now: Double) {
        if policy.onFailure == .exit {
            log(.error, "ending the server, as --on-child-failure exit says")
            return beginStop(hurried: true, code: LauncherExit.childFailed, now)
        }
        if units[unit].isKilledFromOutside, mayForgiveKill(unit, now) {
            units[unit].readySince = nil
            failRestartCall(units[unit].kind, reason)
            return spawnOrEnd(unit, now)
        }
        let healthy = units[unit].readySince.map { now - $0 } ?? 0
        units[unit].readySince = nil
        if healthy >= policy.forgivenAfter {
            units[unit].failures = []
            (units[unit].streak, units[unit].lastPause) = (0, 0)
        }
        units[unit].failures.removeAll { now - $0 > policy.failureWindow }
        units[unit].failures.append(now)
        failRestartCall(units[unit].kind, reason)
        guard units[unit].failures.count <= policy.maxRestarts else { return giveUp(unit, reason, now) }
        pause(unit, healthy >= policy.immediateAfter ? 0 : nextPause(unit), now)
    }

    /// Whoever kills a process from outside wants it replaced, not given up: it counts as a failure only when it happens
    /// so often that the process itself must be the reason.
    private mutating func mayForgiveKill(_ unit: Int, _ now: Double) -> Bool {
        units[unit].outsideKills.removeAll { now - $0 > 60 }
        units[unit].outsideKills.append(now)
        return units[unit].outsideKills.count <= policy.killsForgivenPerMinute
    }

    /// The pause that is due, never shorter than the one before it.
    private mutating func nextPause(_ unit: Int) -> Double {
        units[unit].streak += 1
        let nominal = policy.backoffFirst * Double(1 << min(units[unit].streak - 1, 20))
        let spread = min(nominal, policy.backoffLimit) * (0.8 + 0.2 * jitter())
        units[unit].lastPause = max(units[unit].lastPause, spread)
        return units[unit].lastPause
    }

    private mutating func pause(_ unit: Int, _ seconds: Double, _ now: Double) {
        guard seconds > 0 else { return spawnOrEnd(unit, now) }
        units[unit].phase = .waiting(until: now + seconds)
        for slot in units[unit].slots { setState(slot, .backoff, now) }
        let tenths = Int((seconds * 10).rounded())
        log(
            .warning,
            "\(name(of: unit)) will be restarted in \(tenths / 10).\(tenths % 10) s "
                + "(failure \(units[unit].failures.count) of at most \(policy.maxRestarts))")
        publish()
    }

    private mutating func giveUp(_ unit: Int, _ reason: String, _ now: Double) {
        units[unit].phase = .failed(reason: reason)
        for slot in units[unit].slots { setState(slot, .failed, now) }
        publish()
        let verdict = "\(name(of: unit)) failed \(units[unit].failures.count) times"
        guard hasServed else { return endStart("Start failed. \(verdict): \(reason)", because: reason, now) }
        log(
            .error, "\(verdict) and is given up: \(reason). When the cause is removed: srt restart \(name(of: unit))")
    }

    /// Starts the unit again, unless the server is past that.
    private mutating func spawnOrEnd(_ unit: Int, _ now: Double) {
        units[unit].phase = .stopped
        spawn(units[unit].kind, now)
    }

    /// Starts the units whose pause is over.
    mutating func wakeUnits(_ now: Double) {
        for unit in units.indices {
            if case .waiting(let until) = units[unit].phase, now >= until { spawnOrEnd(unit, now) }
        }
    }

    /// Kills a process that hangs and lets its death take the usual course.
    ///
    /// `isOwnFault` is false when not even the heartbeat's own thread runs: then it was stopped from outside.
    mutating func endHung(_ slot: Int, _ reason: String, isOwnFault: Bool = true, _ now: Double) {
        slots[slot].killReason = reason
        slots[slot].hung = isOwnFault
        log(
            .error,
            "\(slots[slot].title) (pid \(slots[slot].pid ?? 0), generation \(slots[slot].generation)) hangs: \(reason)")
        setState(slot, .hung, now)
        kill(slot, .kill)
    }

    func name(of unit: Int) -> String {
        let title = slots[units[unit].slots.lowerBound].title
        guard units[unit].slots.count > 1, let end = title.ranges(of: "_TP").first else { return title }
        return String(title[..<end.lowerBound])
    }
}
