internal import Messages

/// Spawning, reports and deaths.
extension SupervisorState {
    mutating func spawn(_ kind: RestartUnit, _ now: Double) {
        let unit = kind.rawValue
        guard canSpawn(kind), units[unit].slots.allSatisfy({ !slots[$0].isOccupied }) else { return }
        units[unit].generation += 1
        units[unit].phase = .running
        units[unit].readySince = nil
        for slot in units[unit].slots {
            var next = slots[slot]
            next.process = .starting
            if next.generation > 0 { next.restarts += 1 }
            next.generation = units[unit].generation
            (next.heartbeat, next.isLate, next.stage, next.fraction) = (nil, false, "", 0)
            (next.goodbye, next.killReason, next.hung) = (nil, nil, false)
            (next.heardAt, next.advancedAt) = (now, now)
            slots[slot] = next
            setState(slot, .spawned, now)
            actions.append(.spawn(next.id, generation: next.generation))
        }
        publish()
    }

    /// Nothing starts once stopping began; while draining only what running requests still need does.
    private func canSpawn(_ kind: RestartUnit) -> Bool {
        switch ending {
        case .none: true
        case .draining: kind != .front
        case .stopping, .over: false
        }
    }

    mutating func spawned(_ id: ChildID, _ generation: UInt64, _ pid: Int32, _ now: Double) {
        guard let slot = index(of: id), slots[slot].generation == generation, slots[slot].process == .starting else {
            return
        }
        slots[slot].process = .running(pid: pid)
        (slots[slot].heardAt, slots[slot].advancedAt) = (now, now)
        publish()
        if generation > 1 {
            log(.info, "\(slots[slot].title) restarted: pid \(pid), generation \(generation)")
        }
        // Spawned into a unit that is being ended meanwhile.
        if case .stopping = ending {
            kill(slot, .kill)
        } else if case .ending = units[unit(of: slot)].phase {
            kill(slot, .kill)
        }
    }

    mutating func spawnFailed(_ id: ChildID, _ generation: UInt64, _ reason: String, _ now: Double) {
        guard let slot = index(of: id), slots[slot].generation == generation, slots[slot].process == .starting else {
            return
        }
        buried(slot, ChildEnd(.notStarted(reason)), now)
    }

    mutating func exited(_ id: ChildID, _ pid: Int32, _ end: ChildEnd, _ now: Double) {
        if buriedLeaving(pid, end, now) { return }
        guard let slot = index(of: id), slots[slot].pid == pid else { return }
        buried(slot, end, now)
    }

    /// A place became empty: note how, and go on with what its unit is at.
    private mutating func buried(_ slot: Int, _ end: ChildEnd, _ now: Double) {
        let unit = unit(of: slot)
        let cause = end.cause
        let wasAsked = isAskedToEnd(unit)
        let reason = reasonOfExit(slot, end)
        let pid = slots[slot].pid
        slots[slot].process = .none
        slots[slot].heartbeat = nil
        slots[slot].isLate = false
        let isOwnFault = !wasAsked && (slots[slot].hung || (slots[slot].killReason == nil && !cause.isFromOutside))
        slots[slot].lastExit = ExitRecord(
            cause: cause, time: now + wallOffset, reason: reason, lines: end.lines, isOwnFault: isOwnFault)
        setState(slot, .stopped, now)
        publish()
        if endsStart(unit, cause) { return failStart(slot, end, now) }
        if hasStartFailed {
            tellOtherFailure(slot, end)
        } else if wasAsked {
            log(.info, "\(slots[slot].title)\(pid.map { " (pid \($0))" } ?? "") stopped: \(cause)")
        } else {
            let who = "\(slots[slot].title)\(pid.map { " (pid \($0), generation \(slots[slot].generation))" } ?? "")"
            log(.error, "\(who) died: \(reason)")
        }
        switch ending {
        case .stopping:
            advanceStop(now)
        case .draining where units[unit].kind == .front:
            units[unit].phase = .stopped
            endDrainWhenDeserted(now)
        default:
            lost(unit, because: "\(slots[slot].title): \(reason)", slot, now)
        }
    }

    private func isAskedToEnd(_ unit: Int) -> Bool {
        if case .stopping = ending { return true }
        if case .draining = ending, units[unit].kind == .front { return true }
        return units[unit].phase == .ending(failed: nil)
    }

    private func reasonOfExit(_ slot: Int, _ end: ChildEnd) -> String {
        let cause = end.cause
        if let reason = slots[slot].killReason { return "\(reason) (\(cause))" }
        if let words = end.words { return "\(words) (\(cause))" }
        if let goodbye = slots[slot].goodbye { return "\(goodbye) (\(cause))" }
        return cause == .code(0) ? "exit code 0 without being asked to end" : "\(cause)"
    }

    mutating func report(_ id: ChildID, _ generation: UInt64, _ message: ChildMessage, _ now: Double) {
        if heardLeaving(id, generation, message, now) { return }
        guard let slot = index(of: id), slots[slot].generation == generation, slots[slot].isOccupied else { return }
        slots[slot].heardAt = now
        if slots[slot].isLate {
            slots[slot].isLate = false
            log(.info, "\(slots[slot].title) gives signs of life again")
            publish()
        }
        switch message {
        case .hello:
            slots[slot].advancedAt = now
            if slots[slot].state == .spawned { setState(slot, .loading, now) }
            publish()
            if case .stopping = ending { actions.append(.stop(id)) }
        case .progress(let stage, let fraction): progress(slot, stage, fraction, now)
        case .ready(let facts): ready(slot, facts, now)
        case .heartbeat(let heartbeat):
            slots[slot].heartbeat = heartbeat
            // The front shows the table to operators; once a second is fresh enough.
            if id.role == .http { actions.append(.refresh(id)) }
        case .goodbye(let reason): goodbye(slot, reason, now)
        }
    }

    private mutating func progress(_ slot: Int, _ stage: String, _ fraction: Double, _ now: Double) {
        slots[slot].advancedAt = now
        let isNews = stage != slots[slot].stage || Int(fraction * 10) != Int(slots[slot].fraction * 10)
        slots[slot].stage = stage
        slots[slot].fraction = fraction
        if slots[slot].state == .spawned { setState(slot, .loading, now) }
        if isNews { publish() }
    }

    private mutating func ready(_ slot: Int, _ facts: ModelFacts?, _ now: Double) {
        slots[slot].advancedAt = now
        if slots[slot].id == ChildID(.scheduler), let facts { self.facts = facts }
        guard slots[slot].state == .spawned || slots[slot].state == .loading else { return }
        slots[slot].stage = ""
        slots[slot].fraction = 1
        setState(slot, .ready, now)
        let unit = unit(of: slot)
        guard units[unit].phase == .running, units[unit].slots.allSatisfy({ slots[$0].state == .ready }) else { return }
        units[unit].readySince = now
        if units[unit].kind == .front { handOver(now) }
        unitBecameReady(units[unit].kind, now)
        warmUpIfDue(now)
    }

    private mutating func goodbye(_ slot: Int, _ reason: String, _ now: Double) {
        slots[slot].goodbye = reason
        guard case .draining = ending, slots[slot].id.role == .http else { return }
        // Its exit follows; there is nothing else to wait for.
        endDrainWhenDeserted(now)
    }

    mutating func kill(_ slot: Int, _ signal: KillSignal) {
        guard let pid = slots[slot].pid else { return }
        actions.append(.kill(slots[slot].id, pid: pid, signal: signal))
    }
}
