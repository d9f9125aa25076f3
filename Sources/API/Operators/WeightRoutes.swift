internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// Which weights a running server computes with: other ones from files, their name, single numbers, checksums.
struct WeightRoutes: Sendable {
    let weights: WeightNames
    let requests: OpenRequests
    let questions: PipeQuestions
    /// How weights are stored unless a request says otherwise.
    let loadFormat: LoadFormat

    /// Longest path, and longest name, in bytes.
    private static let longestText = 4096

    var routes: [Route] {
        ["/update_weights_from_disk", "/update_weights"].map { path in
            Route([.post], path, .admin) { [self] in try await update($0, $1) }
        } + [
            Route([.post], "/update_weight_version", .admin) { [self] in try await rename($0, $1) },
            Route([.get, .post], "/get_weights_by_name", .admin) { [self] in try await numbers($0, $1) },
            Route([.post], "/weights_checker", .admin) { [self] in try await check($0, $1) },
        ]
    }

    // MARK: Other weights

    private func update(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        var update = WeightUpdate()
        update.path = try fields.required("model_path", fields.string)
        let format = try fields.string("load_format") ?? loadFormat.rawValue
        update.abortsRequests = try fields.bool("abort_all_requests")
        update.keepsCache = try !fields.bool("flush_cache", or: true)
        if let version = try fields.string("weight_version") { update.version = version }
        for name in ["keep_pause", "is_async", "torch_empty_cache", "recapture_cuda_graph"] {
            _ = try fields.bool(name)
        }
        _ = try fields.int("token_step")
        guard update.version.utf8.count <= Self.longestText else {
            throw RequestFailure.malformed("body.weight_version: should have at most \(Self.longestText) bytes")
        }
        guard LoadFormat(rawValue: format) != nil else {
            let known = LoadFormat.allCases.map(\.rawValue).joined(separator: ", ")
            return Self.answer(false, "Failed to get model loader: load_format '\(format)' is none of \(known).")
        }
        guard !update.path.isEmpty, update.path.utf8.count <= Self.longestText, !update.path.utf8.contains(0) else {
            return Self.answer(false, "Failed to get weights iterator: model_path is no path.")
        }
        update.loadFormat = format
        return await carryOut(update)
    }

    /// Has the worker obey, and where it died meanwhile finds out what came of it.
    private func carryOut(_ update: WeightUpdate) async -> Response {
        let reply = await questions.order { call, _ in
            call.updateWeights = update
            call.updateWeights.order = call.call
        }
        // From here on answers that begin with these weights know what they are called.
        _ = weights.current
        if let reply { return Self.answer(reply.success, reply.message) }
        return Self.answer(
            false,
            "Failed to update weights: the model worker ended again and again before it had them.\n"
                + "Rolling back to original weights.")
    }

    private static func answer(_ success: Bool, _ message: String) -> Response {
        .json(
            ["success": .bool(success), "message": .string(message), "num_paused_requests": 0],
            status: success ? .ok : .badRequest)
    }

    private func rename(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        let version = try fields.required("new_version", fields.string)
        if try fields.bool("abort_all_requests", or: true) { requests.handle { $0.abort(prefix: nil, now: $1) } }
        weights.rename(version)
        return .json([
            "success": true, "message": .string("Weight version updated to \(version)"),
            "new_version": .string(version),
        ])
    }

    // MARK: What they are

    private func ask(_ fill: (inout ControlCall) -> Void) async throws -> ControlReply {
        guard let reply = await questions.control(patience: 30, fill) else { throw RequestFailure.noAnswer }
        return reply
    }

    private func numbers(_ request: Request, _ context: RouteContext) async throws -> Response {
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

    /// Checksums of the packed weights, rank by rank: equal ones mean equal weights in the same form.
    private func check(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        let action = try fields.required("action", fields.string)
        guard action == "checksum" else {
            let text = "action '\(action)' is not supported: this server computes checksums (action 'checksum')."
            return .json(["success": false, "message": .string(text)], status: .badRequest)
        }
        let answer = await questions.order(patience: 600) { call, _ in call.weightChecksums = true }
        guard let reply = answer else { throw RequestFailure.noAnswer }
        let ranks = reply.texts.enumerated().map { rank, text -> JSONValue in
            ["rank": .int(Int64(rank)), "checksum": .string(text)]
        }
        return .json(
            [
                "success": .bool(reply.success), "message": .string(reply.message), "ranks": .array(ranks),
                "per_engine_checksum": .string(reply.texts.joined(separator: "-")),
            ], status: reply.success ? .ok : .badRequest)
    }
}
