internal import APICore
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Logging
internal import Messages
internal import Values

/// What operators tell a running server to do.
struct ControlRoutes: Sendable {
    let board: HealthBoard
    let requests: OpenRequests
    let questions: PipeQuestions
    let keepsake: FrontKeepsake
    let log: Logger
    /// The front's.
    let generation: UInt64

    /// Seconds the worker gets to obey.
    private static let patience = 30.0

    var routes: [Route] {
        [
            Route([.get, .post], "/flush_cache", .admin) { [self] request, _ in try await flushCache(request) },
            Route([.post], "/abort_request", .admin) { [self] in try await abort($0, $1) },
            Route([.post], "/pause_generation", .admin) { [self] in try await pause($0, $1) },
            Route([.post], "/continue_generation", .admin) { [self] in try await resume($0, $1) },
            Route([.get, .post], "/freeze_gc", .admin) { _, _ in .text("Garbage collection frozen.\n") },
            Route([.post, .put], "/set_internal_state", .admin) { [self] in try await setInternalState($0, $1) },
            Route([.get, .post], "/slow_down", .admin) { [self] in try await slowDown($0, $1) },
        ]
    }

    private func ask(patience: Double = patience, _ fill: (inout ControlCall) -> Void) async throws -> ControlReply {
        guard let reply = await questions.control(patience: patience, fill) else { throw RequestFailure.noAnswer }
        return reply
    }

    private func flushCache(_ request: Request) async throws -> Response {
        var timeout = 0.0
        if let text = request.uri.queryParameters["timeout"] {
            guard let seconds = Double(text), seconds >= 0, seconds.isFinite else {
                throw RequestFailure.malformed("query.timeout: Input should be a number greater than or equal to 0")
            }
            timeout = seconds
        }
        let reply = try await ask(patience: timeout + Self.patience) {
            $0.flushCache = .make { $0.timeoutSeconds = timeout }
        }
        guard reply.success else {
            return .text(reply.message.isEmpty ? "Flush cache failed.\n" : reply.message, status: .badRequest)
        }
        return .text(
            "Cache flushed.\nPlease check backend logs for more details. (When there are running or waiting requests, "
                + "the operation will not be performed.)\n")
    }

    private func abort(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        let rid = try fields.string("rid") ?? ""
        let isAll = try fields.bool("abort_all")
        guard isAll || !rid.isEmpty else { return .empty() }
        requests.handle { $0.abort(prefix: isAll ? nil : ClientName(rid), now: $1) }
        // What a front that was replaced still finishes can be meant as well.
        if !board.view.topology.leaving.isEmpty {
            let own = generation
            questions.tellFronts(
                .make {
                    $0.front = own
                    if !isAll { $0.prefix = rid }
                })
        }
        return .empty()
    }

    private func pause(_ request: Request, _ context: RouteContext) async throws -> Response {
        let name = try await request.optionalFields(context).string("mode") ?? "abort"
        let modes: [String: PauseGeneration.Mode] = ["abort": .abort, "retract": .retract, "in_place": .inPlace]
        guard let mode = modes[name] else {
            throw RequestFailure.malformed("body.mode: Input should be 'abort', 'retract' or 'in_place'")
        }
        // The aborts overtake nothing: the pipe keeps their order before the pause.
        if mode == .abort { requests.handle { $0.abort(prefix: nil, now: $1) } }
        let pause = PauseGeneration.make { $0.mode = mode }
        try await order(paused: pause) { $0.pause = pause }
        board.pause(true)
        return .json(["message": "Generation paused successfully.", "status": "ok"])
    }

    private func resume(_ request: Request, _ context: RouteContext) async throws -> Response {
        _ = try await request.optionalFields(context).bool("torch_empty_cache", or: true)
        try await order(paused: nil) { $0.resume = true }
        board.pause(false)
        return .json(["message": "Generation continued successfully.", "status": "ok"])
    }

    /// Has the worker pause or go on. It is written down first, for the fronts and workers that come later, and taken back where the
    /// worker does not obey.
    private func order(paused: PauseGeneration?, _ fill: (inout ControlCall) -> Void) async throws {
        let before = keepsake.orders
        write(paused: paused)
        do {
            let reply = try await ask(fill)
            guard reply.success else { throw RequestFailure.invalid(reply.message) }
        } catch {
            write(paused: before?.hasPaused == true ? before?.paused : nil)
            throw error
        }
    }

    private func write(paused: PauseGeneration?) {
        keepsake.order { orders in
            if let paused { orders.paused = paused } else { orders.clearPaused() }
        }
    }

    /// Changes what can be changed while the server runs. With one stage of the pipeline a micro batch is a whole batch, so its bound is
    /// taken and has no effect.
    private func setInternalState(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        let arguments = try fields.required("server_args", fields.fields)
        var areAllTaken = true
        for name in arguments.object.keys.sorted() {
            if name == "pp_max_micro_batch_size" {
                let most = board.view.model.map { Int($0.maxRunning) } ?? Int.max
                if let size = try arguments.int(name), (1...max(1, most)).contains(size) {
                    log.info("pp_max_micro_batch_size is \(size): it has no effect with one stage of the pipeline.")
                    continue
                }
                log.warning("Updating \(name) is rejected: it should be from 1 to \(most).")
            } else {
                log.warning("Updating \(name) is not supported.")
            }
            areAllTaken = false
        }
        return .json([.bool(areAllTaken)])
    }

    /// Longest sleep before a step that can be ordered, in seconds.
    private static let longestSleep = 60.0

    private func slowDown(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        guard fields.object["forward_sleep_time"] != nil else {
            throw RequestFailure.malformed("body.forward_sleep_time: Field required")
        }
        let seconds = try fields.double("forward_sleep_time") ?? 0
        guard (0...Self.longestSleep).contains(seconds) else {
            throw RequestFailure.malformed(
                "body.forward_sleep_time: Input should be from 0 to \(Int(Self.longestSleep)), got \(seconds)")
        }
        keepsake.order { $0.slowDown = seconds }
        let reply = try await ask { $0.slowDown = seconds }
        guard reply.success else { throw RequestFailure.invalid(reply.message) }
        return .json(.null)
    }
}
