internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Logging
internal import Messages
internal import NIOCore
internal import ServerSettings

/// POST (or PUT) /generate: reads the body, opens its rows, and answers with one object, a list, or a stream.
struct GenerateRoute: Sendable {
    let front: Front

    var routes: [Routes.Route] {
        [.init([.post, .put], "/generate") { [self] in try await generate($0, $1) }]
    }

    private func generate(_ request: Request, _ context: FrontContext) async throws -> Response {
        if front.board.view.isDraining { throw RequestFailure.draining }
        try Self.checkRank(request.headers[.init("X-Data-Parallel-Rank")!])
        let body = try await request.bytes(upTo: front.settings.maxBodySize, context)
        let plan: GeneratePlan
        do {
            plan = try await self.plan(body, routingKey: request.headers[.init("X-SMG-Routing-Key")!] ?? "")
        } catch let failure {
            // Only errors of the two schemas are HTTP errors for a client that asked for a stream.
            guard failure.shape == .semantic || failure.shape == .condition, Self.wantsStream(body) else {
                throw failure
            }
            return refusedStream(failure)
        }
        guard !plan.openings.isEmpty else {
            return plan.stream
                ? Response(
                    status: .ok, headers: SSEWriter.headers, body: .init(byteBuffer: .init(bytes: SSEWriter.done)))
                : .json([])
        }
        let open: OpenRequest
        do {
            open = try front.table.open(plan.openings, front.gate)
        } catch let failure {
            guard plan.stream else { throw failure }
            return refusedStream(failure, rid: plan.openings[0].rid)
        }
        context.connection.whenClosed { open.close() }
        if front.logsRequests { front.log.info("Receive: rid=\(plan.openings.map(\.rid)) stream=\(plan.stream)") }
        if plan.stream { return stream(open, plan, context.connection) }
        defer { open.close() }
        return try await answer(open, plan)
    }

    // MARK: Reading

    /// Bodies from this size on are read on another thread, so that their reading does not hold up other clients.
    private static let largeBody = 128 << 10

    private func plan(_ body: [UInt8], routingKey: String) async throws(RequestFailure) -> GeneratePlan {
        guard body.count >= Self.largeBody else { return try makePlan(body, routingKey) }
        let outcome = await withTaskExecutorPreference(globalConcurrentExecutor) { [self] in
            Result { () throws(RequestFailure) in try makePlan(body, routingKey) }
        }
        return try outcome.get()
    }

    private func makePlan(_ body: [UInt8], _ routingKey: String) throws(RequestFailure) -> GeneratePlan {
        let request = try GenerateRequest(body: body, preferred: front.preferred)
        var rules = rules
        rules.routingKey = routingKey
        var plan = try GeneratePlan(request, rules, serial: front.nextSerial())
        if let place = plan.session { try front.sessions.join(place, &plan.openings[0].request, now: front.clock()) }
        return plan
    }

    private var rules: GeneratePlan.Rules {
        let settings = front.settings
        return GeneratePlan.Rules(
            limits: .init(
                vocabulary: front.board.view.model.map { Int($0.vocabularySize) } ?? 0,
                skipsTokenizer: settings.skipTokenizerInit, grammarsAreOff: settings.grammarBackend == .none),
            streamInterval: settings.streamInterval, allowsTruncation: settings.allowAutoTruncate,
            randomSeed: UInt64(bitPattern: Int64(settings.randomSeed)), maximumRows: AdmissionGate.ownLimit)
    }

    private static func checkRank(_ header: String?) throws(RequestFailure) {
        guard let header else { return }
        guard let rank = Int(header.trimming(while: { $0 == " " })) else {
            throw .semantic("Invalid X-Data-Parallel-Rank header: must be an integer, got '\(header)'")
        }
        if rank != 0 { throw .semantic("routed_dp_rank=\(rank) out of range [0, 1)") }
    }

    private static func wantsStream(_ body: [UInt8]) -> Bool {
        (try? RequestFields(body: body).bool("stream")) ?? false
    }

    // MARK: Answering

    private func style() -> GenerateAnswer.Style {
        .init(
            weightVersion: front.board.view.weightVersion, withTimes: front.settings.enableMetrics,
            isIncremental: front.settings.incrementalStreamingOutput, skipsTokenizer: front.settings.skipTokenizerInit)
    }

    private func answer(_ open: OpenRequest, _ plan: GeneratePlan) async throws -> Response {
        let rows = try await open.settled()
        for row in rows {
            if let failure = row.failure { throw failure }
        }
        keepTurn(rows, plan)
        let writer = GenerateAnswer(style: style(), returnsPromptIDs: plan.returnsPromptIDs)
        var json = JSONWriter(reservingCapacity: 1024)
        if plan.isList { json.beginArray() }
        for row in rows {
            let end = RowCut(ids: row.output.ids.count, textBytes: row.output.text.count)
            writer.write(row, .init(to: end, finish: row.finish), now: front.clock(), to: &json)
        }
        if plan.isList { json.endArray() }
        return .json(bytes: json.bytes)
    }

    private func keepTurn(_ rows: [LedgerRow], _ plan: GeneratePlan) {
        if front.logsRequests { front.log.info("Finish: rid=\(rows.map(\.rid))") }
        if let place = plan.session, let row = rows.first { front.sessions.keep(row, at: place) }
    }

    private func stream(_ open: OpenRequest, _ plan: GeneratePlan, _ connection: ClientConnection) -> Response {
        let writer = GenerateAnswer(style: style(), returnsPromptIDs: plan.returnsPromptIDs)
        let body = ResponseBody { [self] output in
            defer { open.close() }
            var frames = GenerateStream(writer, rows: plan.openings.count, isList: plan.isList)
            var watch = ReadingWatch(connection, now: front.clock())
            var longestPause = Self.firstPause
            while !frames.isOver {
                let rows = try await open.news()
                let buffer = frames.write(rows, now: front.clock())
                if frames.isOver { keepTurn(rows, plan) }
                try await output.write(buffer)
                guard !frames.isOver, watch.isStalled(now: front.clock()) else { continue }
                await open.letCatchUp(&watch, on: connection, limit: longestPause, clock: front.clock)
                longestPause *= 2
            }
            try await output.finish(nil)
        }
        return Response(status: .ok, headers: SSEWriter.headers, body: body)
    }

    /// Seconds after which a stream that was set aside goes on in any case, should the client's kernel not tell that it reads;
    /// twice as long each time.
    private static let firstPause = 60.0

    /// A stream for a request that was refused before it had rows.
    private func refusedStream(_ failure: RequestFailure, rid: String = GeneratePlan.freshRid()) -> Response {
        guard failure.fromWorker else { return SSEWriter.response(FailureResponse.frame(failure)) }
        let now = front.clock()
        let row = LedgerRow(
            request: Generate(), rid: rid, group: 0, index: 0, phase: .ended(.failed(failure)),
            times: RowTimes(received: now, finished: now))
        var json = JSONWriter()
        GenerateAnswer(style: style()).write(
            row, .init(to: RowCut(ids: 0, textBytes: 0), finish: FailureResponse.finishReason(failure)), now: now,
            to: &json)
        return SSEWriter.response(json.bytes)
    }
}

extension LedgerRow {
    /// What the client should see instead of an answer.
    var failure: RequestFailure? {
        switch phase {
        case .ended(.failed(let failure)): failure
        case .ended(.finished(let finish)): FailureResponse.failure(of: finish)
        case .held, .dispatched, .parked: nil
        }
    }

    /// Why the row ended, if it did with an answer.
    var finish: FinishReason? {
        if case .ended(.finished(let finish)) = phase { finish } else { nil }
    }
}

extension StringProtocol {
    /// The text without what its ends hold too much.
    func trimming(while isSuperfluous: (Character) -> Bool) -> String {
        let head = drop(while: isSuperfluous)
        return String(head.reversed().drop(while: isSuperfluous).reversed())
    }
}
