internal import Glibc
package import Messages

/// The table as others see it.
extension SupervisorState {
    /// What every child is told.
    package func topology(at now: Double) -> Topology {
        .make {
            $0.processes = slots.map { processInfo($0, now) }
            $0.leaving = leaving.map { processInfo($0.slot, now) }
            $0.serving = isServing
            $0.draining = isDraining
            if let facts { $0.model = facts }
        }
    }

    private func processInfo(_ slot: ChildSlot, _ now: Double) -> ProcessInfo {
        .make {
            $0.role = slot.id.role
            $0.rank = UInt32(slot.id.rank)
            $0.title = slot.title
            $0.pid = slot.pid ?? 0
            $0.generation = slot.generation
            $0.state = slot.state
            $0.since = slot.since + wallOffset
            $0.restarts = UInt32(slot.restarts)
            if let exit = slot.lastExit { $0.lastExit = lastExit(exit) }
            if let heartbeat = slot.heartbeat { $0.heartbeat = heartbeat }
            $0.heartbeatAge = slot.isOccupied ? now - slot.heardAt : 0
            $0.stage = slot.stage
            $0.fraction = slot.fraction
        }
    }

    private func lastExit(_ exit: ExitRecord) -> LastExit {
        .make {
            $0.present = true
            switch exit.cause {
            case .code(let code): $0.code = code
            case .signal(let number): $0.signal = number
            case .outOfMemory: $0.signal = SIGKILL
            case .notStarted: $0.code = 127
            }
            $0.time = exit.time
            $0.reason = exit.reason
            $0.stderrLines = exit.lines
            $0.ownFault = exit.isOwnFault
        }
    }

    /// One word for the whole server.
    package var status: String {
        switch ending {
        case .none: isServing ? "serving" : hasServed ? "degraded" : "starting"
        case .draining: "draining"
        case .stopping: "stopping"
        case .over: "stopped"
        }
    }
}
