internal import APICore
internal import ChatAPI
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
        var rules: GenerationRules
        var style: MetaInfo.Style
        var seen: ModelSight
        /// Where prompts in Vertex AI's manner come in.
        var predictionPath: String

        init(_ settings: FrontSettings, _ parsers: ChatParsers) {
            preferred = settings.preferredSamplingParams.flatMap { try? JSON.parse($0).objectValue } ?? [:]
            seen = ModelSight(settings)
            rules = GenerationRules(settings)
            rules.openThinking = parsers.openThinking
            style = MetaInfo.Style(settings)
            predictionPath = settings.predictionPath
        }
    }

    let settings: Settings
    let board: HealthBoard
    let answering: Answering
    let keepsake: FrontKeepsake
    let numbers: RequestNumbers

    var routes: [Route] {
        [
            Route([.post, .put], "/generate") { [self] in try await generate($0, $1, in: .native) },
            Route([.post], settings.predictionPath) { [self] in try await generate($0, $1, in: .predictions) },
        ]
    }

    /// How prompts come and answers go.
    enum Form: Sendable {
        case native
        /// In Vertex AI's manner: see `Predictions`.
        case predictions
    }

    private func generate(
        _ request: Request, _ context: RouteContext, in form: Form
    ) async throws -> Response {
        if board.view.isDraining { throw RequestFailure.draining }
        try request.requireOnlyRank()
        let body = try await request.bytes(context)
        let reading = await read(body, in: form, routingKey: request.headers[.routingKey] ?? "")
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
        var order = Answering.Order(plan.openings, isStreamed: plan.stream) { [keepsake] rows in
            if let place = plan.session, let row = rows.first { keepsake.keep(row, at: place) }
        }
        order.isLogged = plan.isLogged
        guard form == .native else {
            return try await answering.answer(order, with: Predictions.Writer(writer), for: context.client)
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

    private func read(_ body: [UInt8], in form: Form, routingKey: String) async -> Reading {
        await reading(body) { [self] in readHere($0, in: form, routingKey) }
    }

    private func readHere(_ body: [UInt8], in form: Form, _ routingKey: String) -> Reading {
        var asksForStream = false
        do throws(RequestFailure) {
            var fields = try RequestFields(body: body)
            if form == .predictions { fields = try Predictions.fields(fields) }
            asksForStream = (try? fields.bool("stream")) ?? false
            return Reading(asksForStream: asksForStream, plan: .success(try plan(fields, routingKey)))
        } catch { return Reading(asksForStream: asksForStream, plan: .failure(error)) }
    }

    private func plan(_ fields: RequestFields, _ routingKey: String) throws(RequestFailure) -> GeneratePlan {
        let request = try GenerateRequest(fields, preferred: settings.preferred, seen: settings.seen)
        var rules = settings.rules
        rules.limits.vocabulary = board.view.model.map { Int($0.vocabularySize) } ?? 0
        rules.routingKey = routingKey
        if let model = board.view.model, model.task.kind != .generation { throw .noGeneratingModel }
        var plan = try GeneratePlan(request, rules, serial: numbers.next())
        if let place = plan.session { try keepsake.join(place, &plan.openings[0]) }
        return plan
    }
}
