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
            Route([.post], "/update_weight_version", .admin) { [self] in try await updateVersion($0, $1) },
            Route([.get, .post], "/get_weights_by_name", .admin) { [self] in try await weights($0, $1) },
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
        if isAll || !rid.isEmpty { requests.handle { $0.abort(prefix: isAll ? nil : ClientName(rid), now: $1) } }
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

    private func setInternalState(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        let arguments = try fields.required("server_args", fields.fields)
        for name in arguments.object.keys { log.warning("Updating \(name) is not supported.") }
        return .json([.bool(arguments.object.isEmpty)])
    }

    private func updateVersion(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        let version = try fields.required("new_version", fields.string)
        if try fields.bool("abort_all_requests", or: true) { requests.handle { $0.abort(prefix: nil, now: $1) } }
        keepsake.order { $0.weightVersion = version }
        board.setWeightVersion(version)
        return .json([
            "success": true, "message": .string("Weight version updated to \(version)"),
            "new_version": .string(version),
        ])
    }

    private func weights(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        let name = try fields.required("name", fields.string)
        let rows = try fields.int("truncate_size") ?? 100
        guard rows >= 0 else {
            throw RequestFailure.malformed("body.truncate_size: Input should be greater than or equal to 0")
        }
        let reply = try await ask {
            $0.weight = .make {
                $0.name = name
                $0.rows = UInt32(clamping: rows)
            }
        }
        guard reply.success else { throw RequestFailure.invalid("Get parameter by name failed") }
        var json = JSONWriter(reservingCapacity: reply.values.count * 12)
        Self.write(reply.values[...], shape: reply.shape[...].map(Int.init), to: &json)
        return .json(bytes: json.bytes)
    }

    /// Writes numbers nested as a tensor of this shape.
    private static func write(_ values: ArraySlice<Float>, shape: [Int], to json: inout JSONWriter) {
        json.beginArray()
        if shape.count <= 1 {
            for value in values { json.double(Double(value)) }
        } else if let rows = shape.first, rows > 0 {
            let size = values.count / rows
            for row in 0..<rows {
                let start = values.startIndex + row * size
                write(values[start..<start + size], shape: Array(shape.dropFirst()), to: &json)
            }
        }
        json.endArray()
    }
}
