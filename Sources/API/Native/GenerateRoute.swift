internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import ServerSettings
internal import Values

/// POST (or PUT) /generate: reads the body, plans its rows, and answers with one object, a list, or a stream.
struct GenerateRoute: Sendable {
    /// What the operator's flags say about generating.
    struct Settings: Sendable {
        /// Sampling parameters for requests that name none.
        var preferred: JSONObject
        var rules: GeneratePlan.Rules
        var style: GenerateAnswer.Style
        var seen: ModelSight

        init(_ settings: FrontSettings) {
            preferred = settings.preferredSamplingParams.flatMap { try? JSON.parse($0).objectValue } ?? [:]
            seen = ModelSight(settings)
            rules = GeneratePlan.Rules(
                limits: .init(
                    skipsTokenizer: settings.skipTokenizerInit, grammarsAreOff: settings.grammarBackend == .none),
                hiddenStates: seen.mode, streamInterval: settings.streamInterval,
                allowsTruncation: settings.allowAutoTruncate,
                randomSeed: UInt64(bitPattern: Int64(settings.randomSeed)), maximumRows: AdmissionGate.ownLimit)
            style = GenerateAnswer.Style(
                withTimes: settings.enableMetrics, isIncremental: settings.incrementalStreamingOutput,
                skipsTokenizer: settings.skipTokenizerInit)
        }
    }

    let settings: Settings
    let board: HealthBoard
    let answering: Answering
    let keepsake: FrontKeepsake
    let numbers: RequestNumbers

    var routes: [Route] {
        [Route([.post, .put], "/generate") { [self] in try await generate($0, $1) }]
    }

    private func generate(_ request: Request, _ context: RouteContext) async throws -> Response {
        if board.view.isDraining { throw RequestFailure.draining }
        try Self.checkRank(request.headers[.init("X-Data-Parallel-Rank")!])
        let body = try await request.bytes(context)
        let reading = await read(body, routingKey: request.headers[.init("X-SMG-Routing-Key")!] ?? "")
        let plan: GeneratePlan
        do throws(RequestFailure) { plan = try reading.plan.get() } catch {
            guard reading.asksForStream else { throw error }
            return try answering.refuse(error, with: writer(rids: []))
        }
        guard !plan.openings.isEmpty else {
            return plan.stream
                ? EventStream.response(.init(byteBuffer: .init(bytes: EventStream.done))) : .json([])
        }
        var writer = writer(rids: plan.openings.map(\.rid))
        writer.isList = plan.isList
        writer.returnsPromptIDs = plan.returnsPromptIDs
        let order = Answering.Order(plan.openings, isStreamed: plan.stream) { [keepsake] rows in
            if let place = plan.session, let row = rows.first { keepsake.keep(row, at: place) }
        }
        return try await answering.answer(order, with: writer, for: context.client)
    }

    private func writer(rids: [ClientName]) -> GenerateWriter {
        var style = settings.style
        style.weights = board.weights
        return GenerateWriter(style, rids: rids)
    }

    // MARK: Reading

    /// What a body says: whether the answer should be a stream, as far as that can be read, and what to do.
    private struct Reading: Sendable {
        var asksForStream = false
        var plan: Result<GeneratePlan, RequestFailure>
    }

    /// Bodies from this size on are read on another thread, so that their reading does not hold up other clients.
    private static let largeBody = 128 << 10

    private func read(_ body: [UInt8], routingKey: String) async -> Reading {
        guard body.count >= Self.largeBody else { return readHere(body, routingKey) }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { [self] in readHere(body, routingKey) }
    }

    private func readHere(_ body: [UInt8], _ routingKey: String) -> Reading {
        var asksForStream = false
        do throws(RequestFailure) {
            let fields = try RequestFields(body: body)
            asksForStream = (try? fields.bool("stream")) ?? false
            return Reading(asksForStream: asksForStream, plan: .success(try plan(fields, routingKey)))
        } catch { return Reading(asksForStream: asksForStream, plan: .failure(error)) }
    }

    private func plan(_ fields: RequestFields, _ routingKey: String) throws(RequestFailure) -> GeneratePlan {
        let request = try GenerateRequest(fields, preferred: settings.preferred, seen: settings.seen)
        var rules = settings.rules
        rules.limits.vocabulary = board.view.model.map { Int($0.vocabularySize) } ?? 0
        rules.routingKey = routingKey
        var plan = try GeneratePlan(request, rules, serial: numbers.next())
        if let place = plan.session { try keepsake.join(place, &plan.openings[0]) }
        return plan
    }

    private static func checkRank(_ header: String?) throws(RequestFailure) {
        guard let header else { return }
        guard let rank = Int(header.trimming(while: { $0 == " " })) else {
            throw .invalid("Invalid X-Data-Parallel-Rank header: must be an integer, got '\(header)'")
        }
        if rank != 0 { throw .invalid("routed_dp_rank=\(rank) out of range [0, 1)") }
    }
}
