package import JSON
package import Messages

/// What state.json holds: the table of processes and how the server as a whole is, for operators and their scripts.
package struct StateFile: Sendable {
    package var launcherPid: Int32 = 0
    package var address = ""
    package var port = 0
    package var runDirectory = ""
    package var modelName = ""
    /// Seconds since 1970.
    package var startedAt = 0.0
    /// starting, serving, degraded (a process is missing or late), draining, stopping or stopped.
    package var status: String
    package var topology: Topology

    package init(status: String, topology: Topology) {
        self.status = status
        self.topology = topology
    }

    /// The file's content at a time in seconds since 1970.
    package func json(writtenAt: Double) -> JSONValue {
        .object([
            "version": 1,
            "status": .string(status),
            "pid": .int(Int64(launcherPid)),
            "title": "sglang::launcher",
            "address": .string(address),
            "port": .int(Int64(port)),
            "model": .string(modelName),
            "run_directory": .string(runDirectory),
            "started": .double(startedAt),
            "written": .double(writtenAt),
            "processes": .array(topology.processes.map(Self.json)),
            "leaving": .array(topology.leaving.map(Self.json)),
        ])
    }

    private static func json(_ process: ProcessInfo) -> JSONValue {
        let beat = process.heartbeat
        return .object([
            "title": .string(process.title),
            "role": .string(process.role.word),
            "rank": .int(Int64(process.rank)),
            "pid": process.pid == 0 ? .null : .int(Int64(process.pid)),
            "generation": .int(Int64(process.generation)),
            "state": .string(process.state.word),
            "since": .double(process.since),
            "restarts": .int(Int64(process.restarts)),
            "stage": .string(process.stage),
            "fraction": .double(process.fraction),
            "heartbeat_age": process.hasHeartbeat ? .double(process.heartbeatAge) : .null,
            "phase": .string(beat.phase),
            "phase_seconds": .double(Double(beat.phaseMilliseconds) / 1000),
            "queued": .int(Int64(beat.queued)),
            "running": .int(Int64(beat.running)),
            "resident_bytes": .int(Int64(beat.residentBytes)),
            "last_exit": process.lastExit.present ? json(process.lastExit) : .null,
        ])
    }

    private static func json(_ exit: LastExit) -> JSONValue {
        .object([
            "code": exit.signal == 0 ? .int(Int64(exit.code)) : .null,
            "signal": exit.signal == 0 ? .null : .int(Int64(exit.signal)),
            "time": .double(exit.time),
            "reason": .string(exit.reason),
            "stderr": .array(exit.stderrLines.map { .string($0) }),
        ])
    }
}
