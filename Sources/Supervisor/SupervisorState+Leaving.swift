internal import Messages

/// A front that another one replaces on demand. It answers what it has and then ends by itself.
///
/// It accepts clients until its successor is ready, so that nobody waits meanwhile.
struct LeavingFront: Sendable, Equatable {
    /// The row of the table that it had, as it was when it had to leave it.
    var slot: ChildSlot
    let pid: Int32
    /// It was told that its successor accepts.
    var isTold = false
    /// It was sent SIGKILL.
    var isKilled = false
}

/// Fronts that leave: beside the table, addressed by their pid.
extension SupervisorState {
    /// Takes the front out of its place, so that the next one can start while it goes on.
    mutating func retireFront(_ now: Double) {
        let slot = units[RestartUnit.front.rawValue].slots.lowerBound
        guard let pid = slots[slot].pid else { return }
        leaving.append(LeavingFront(slot: slots[slot], pid: pid))
        slots[slot].process = .none
        slots[slot].heartbeat = nil
        actions.append(.retire(slots[slot].id, pid: pid))
    }

    /// A front is ready: those before it stop to accept.
    mutating func handOver(_ now: Double) {
        for place in leaving.indices where !leaving[place].isTold {
            leaving[place].isTold = true
            leaving[place].slot.state = .draining
            leaving[place].slot.since = now
            actions.append(.drainLeaving(pid: leaving[place].pid, seconds: Self.unhurried, replaced: true))
        }
        publish()
    }

    /// Time for a front's last streams when nothing is in a hurry; an operator who is sends the launcher SIGTERM.
    private static let unhurried = 365.0 * 86400

    /// Those that leave get a deadline, as the server ends.
    mutating func drainLeaving(seconds: Double) {
        for front in leaving {
            actions.append(.drainLeaving(pid: front.pid, seconds: seconds, replaced: false))
        }
    }

    mutating func killLeaving(_ signal: KillSignal) {
        for front in leaving { actions.append(.kill(front.slot.id, pid: front.pid, signal: signal)) }
    }

    /// A front that still accepts stands in for its successor, which is not ready yet.
    func isCovered(_ unit: Int) -> Bool {
        units[unit].kind == .front && leaving.contains { !$0.isTold && !$0.slot.isLate }
    }

    /// A sign of life; whether it came from a front that leaves.
    mutating func heardLeaving(_ id: ChildID, _ generation: UInt64, _ message: ChildMessage, _ now: Double) -> Bool {
        guard let place = leaving.firstIndex(where: { $0.slot.id == id && $0.slot.generation == generation }) else {
            return false
        }
        leaving[place].slot.heardAt = now
        if leaving[place].slot.isLate {
            leaving[place].slot.isLate = false
            publish()
        }
        switch message {
        case .heartbeat(let heartbeat): leaving[place].slot.heartbeat = heartbeat
        case .goodbye(let reason): leaving[place].slot.goodbye = reason
        case .hello, .progress, .ready: break
        }
        return true
    }

    /// Ends those that hang.
    mutating func examineLeaving(_ now: Double) {
        for place in leaving.indices where !leaving[place].isKilled {
            let age = now - leaving[place].slot.heardAt
            if age > policy.heartbeatLate, !leaving[place].slot.isLate {
                leaving[place].slot.isLate = true
                publish()
            }
            guard age > policy.heartbeatLost else { continue }
            leaving[place].isKilled = true
            log(.error, "\(leaving[place].name) hangs: no heartbeat for \(Int(age)) s")
            actions.append(.kill(leaving[place].slot.id, pid: leaving[place].pid, signal: .kill))
        }
    }

    /// A process ended; whether it was a front that leaves.
    mutating func buriedLeaving(_ pid: Int32, _ end: ChildEnd, _ now: Double) -> Bool {
        guard let place = leaving.firstIndex(where: { $0.pid == pid }) else { return false }
        let front = leaving.remove(at: place)
        if front.isTold, end.cause == .code(0) {
            log(.info, "\(front.name) has answered its last request")
        } else if ending == .none {
            log(.error, "\(front.name), which was being replaced, died: \(end.words ?? "\(end.cause)")")
        }
        publish()
        switch ending {
        case .stopping: advanceStop(now)
        case .draining: endDrainWhenDeserted(now)
        case .none, .over: break
        }
        return true
    }
}

extension LeavingFront {
    /// For the log.
    fileprivate var name: String { "\(slot.title) (pid \(pid), generation \(slot.generation))" }
}
