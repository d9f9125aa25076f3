internal import Messages

/// Deadlines: late and lost heartbeats, phases that last too long, silent starts.
extension SupervisorState {
    mutating func tick(_ now: Double) {
        forgiveOwnAbsence(now)
        wakeUnits(now)
        for slot in slots.indices where slots[slot].pid != nil { examine(slot, now) }
        if ending == .none { examineLeaving(now) }
        advanceDrain(now)
        advanceStop(now)
        advanceRestarts(now)
    }

    /// When the launcher itself did not run (a stopped machine, SIGSTOP), the children are not to blame for what it missed.
    private mutating func forgiveOwnAbsence(_ now: Double) {
        defer { lastTick = now }
        guard let lastTick, now - lastTick > 2 else { return }
        for slot in slots.indices {
            slots[slot].heardAt += now - lastTick
            slots[slot].advancedAt += now - lastTick
        }
        for place in leaving.indices { leaving[place].slot.heardAt += now - lastTick }
    }

    private mutating func examine(_ slot: Int, _ now: Double) {
        guard slots[slot].killReason == nil, !isEnding(slot) else { return }
        switch slots[slot].state {
        case .spawned, .loading: examineStart(slot, now)
        case .ready, .draining: examineLife(slot, now)
        case .stopped, .backoff, .hung, .failed, .UNRECOGNIZED: break
        }
    }

    private func isEnding(_ slot: Int) -> Bool {
        if case .stopping = ending { return true }
        return units[unit(of: slot)].phase != .running
    }

    private mutating func examineStart(_ slot: Int, _ now: Double) {
        let silence = now - slots[slot].advancedAt
        guard silence > policy.startupSilence else { return }
        let id = slots[slot].id
        let stage = slots[slot].stage.isEmpty ? "before any progress" : "at \"\(slots[slot].stage)\""
        let reason =
            "no progress for \(Int(silence)) s during start-up, \(stage) (role \(id.role.word), rank \(id.rank))"
        guard hasServed else {
            slots[slot].killReason = reason
            return endStart("Start failed. \(slots[slot].title): \(reason)", because: reason, now)
        }
        endHung(slot, reason, now)
    }

    private mutating func examineLife(_ slot: Int, _ now: Double) {
        let age = now - slots[slot].heardAt
        if age > policy.heartbeatLost {
            return endHung(slot, "no heartbeat for \(Int(age)) s", isOwnFault: false, now)
        }
        if age > policy.heartbeatLate, !slots[slot].isLate {
            slots[slot].isLate = true
            log(
                .warning,
                "\(slots[slot].title) (pid \(slots[slot].pid ?? 0)) has sent no heartbeat for \(Int(age.rounded())) s")
            publish()
        }
        // What an old heartbeat says of a phase is out of date: then its age alone counts.
        guard age <= policy.heartbeatLate, let heartbeat = slots[slot].heartbeat, let limit = limit(of: heartbeat.phase)
        else { return }
        let lasted = Double(heartbeat.phaseMilliseconds) / 1000 + age
        guard lasted > limit else { return }
        endHung(slot, "\(Int(lasted)) s in phase \(heartbeat.phase), the limit is \(Int(limit)) s", now)
    }

    /// How long a phase may last; nil for waiting, which may last for ever, and for start and end, which have their own limits.
    private func limit(of phase: String) -> Double? {
        switch phase {
        case "idle", "starting", "stopping", "": nil
        case "receiving": policy.otherPhaseLimit
        default: policy.computePhaseLimit
        }
    }
}
