internal import APICore
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Logging
internal import Messages

/// Whether the server answers: cheap looks at the launcher's table, and one real request.
struct HealthRoutes: Sendable {
    let board: HealthBoard
    let requests: OpenRequests
    let log: Logger
    /// Seconds a probe may take.
    let patience: Double

    var routes: [Route] {
        [
            Route([.get], "/health") { [self] _, _ in state(board.view.isServing) },
            Route([.get], "/ping") { [self] _, _ in state(board.view.isServing) },
            Route([.get], "/ready") { [self] _, _ in
                let view = board.view
                return state(view.isServing && !view.isPaused && !view.isReleased)
            },
            Route([.get], "/health_generate") { [self] _, context in state(try await probe(context)) },
            Route([.get], "/v1/processes") { [self] _, _ in .json(processes) },
        ]
    }

    private func state(_ isFine: Bool) -> Response { .empty(isFine ? .ok : .serviceUnavailable) }

    /// Sends a request for one token, or for a vector, through the whole pipe; whatever happens, nothing of it stays.
    private func probe(_ context: RouteContext) async throws -> Bool {
        guard board.view.isServing else { return false }
        let request = Generate.make {
            $0.ids = .make { $0.ids = [0] }
            $0.sampling = .make {
                $0.maxNewTokens = 1
                $0.temperature = 1
                $0.topP = 1
                $0.topK = 1
                $0.repetitionPenalty = 1
                $0.ignoreEos = true
                $0.skipSpecialTokens = true
            }
            $0.options = .make { $0.streamInterval = 1 }
        }
        let generates = board.view.model.map { $0.task.kind == .generation } ?? true
        let errand: Errand =
            generates ? .generate(request) : .embed(.make { $0.ids = .make { $0.ids = [0] } })
        var opening = RequestLedger.Opening(errand, rid: "HEALTH_CHECK_\(RequestNames.fresh())")
        opening.isCounted = false
        let open = try requests.open([opening], AdmissionGate(queued: nil, running: nil))
        context.client.whenClosed { open.close() }
        let timer = Task {
            try await Task.sleep(for: .seconds(patience))
            open.close()
        }
        defer {
            timer.cancel()
            open.close()
        }
        guard let rows = try? await open.settled(), rows.allSatisfy({ $0.failure == nil }) else {
            log.error(
                "Health check failed. Server couldn't get a response from detokenizer for last \(Int(patience)) seconds."
            )
            return false
        }
        return true
    }

    private var processes: JSONValue {
        let view = board.view
        return .array((view.topology.processes + view.topology.leaving).map { Self.describe($0) })
    }

    private static func describe(_ process: Messages.ProcessInfo) -> JSONValue {
        var exit = JSONValue.null
        if process.lastExit.present {
            exit = [
                "code": .int(Int64(process.lastExit.code)), "signal": .int(Int64(process.lastExit.signal)),
                "time": .double(process.lastExit.time), "reason": .string(process.lastExit.reason),
                "stderr": .array(process.lastExit.stderrLines.map { .string($0) }),
            ]
        }
        return [
            "name": .string(process.role.word), "title": .string(process.title), "pid": .int(Int64(process.pid)),
            "rank": .int(Int64(process.rank)), "generation": .int(Int64(process.generation)),
            "state": .string(process.state.word), "since": .double(process.since),
            "restarts": .int(Int64(process.restarts)),
            "last_exit": exit, "heartbeat_age_ms": .int(Int64(process.heartbeatAge * 1000)),
            "phase": .string(process.heartbeat.phase), "phase_age_ms": .int(Int64(process.heartbeat.phaseMilliseconds)),
            "rss_bytes": .int(Int64(process.heartbeat.residentBytes)), "queued": .int(Int64(process.heartbeat.queued)),
            "running": .int(Int64(process.heartbeat.running)), "stage": .string(process.stage),
            "progress": .double(process.fraction),
        ]
    }
}
