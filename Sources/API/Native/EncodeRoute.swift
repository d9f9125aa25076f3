internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import ServerSettings

/// POST (or PUT) /encode and /classify: a vector for a text, its reward, or the logits of its classes. Two names of one thing.
struct EncodeRoute: Sendable {
    let rules: VectorRules
    let withTimes: Bool
    let board: HealthBoard
    let answering: Answering

    init(_ settings: FrontSettings, board: HealthBoard, answering: Answering) {
        rules = VectorRules(allowsTruncation: settings.allowAutoTruncate, modelPath: settings.modelPath)
        withTimes = settings.enableMetrics
        self.board = board
        self.answering = answering
    }

    var routes: [Route] {
        ["/encode", "/classify"].map { path in
            Route([.post, .put], path) { [self] in try await encode($0, $1) }
        }
    }

    private func encode(_ request: Request, _ context: RouteContext) async throws -> Response {
        let view = board.view
        if view.isDraining { throw RequestFailure.draining }
        let routingKey = request.headers[.routingKey] ?? ""
        let (wanted, openings) = try await request.reading(context) { [rules] fields in
            let wanted = try EncodeRequest(fields, routingKey: routingKey)
            return (wanted, try VectorPlan(wanted.inputs, wanted.wishes, model: view.model, rules).openings)
        }
        guard !openings.isEmpty else { return .json([]) }
        let answer = VectorAnswer(weights: board.weights, withTimes: withTimes)
        let (isList, returnsIDs) = (wanted.isList, wanted.wishes.returnsPromptIDs)
        let capacity = openings.count * (512 + 12 * Int(view.model?.task.width ?? 0))
        let writer = BodyWriter(capacity: capacity) { rows, now, json throws(RequestFailure) in
            if isList { json.beginArray() }
            for row in rows {
                json.beginObject()
                json.key("embedding")
                json.vector(of: row)
                json.key("meta_info")
                answer.writeMetaInfo(row, now: now, to: &json)
                if returnsIDs {
                    json.key("prompt_token_ids")
                    json.ints(row.output.promptIDs ?? [])
                }
                json.endObject()
            }
            if isList { json.endArray() }
        }
        return try await answering.answer(
            Answering.Order(openings, isStreamed: false), with: writer, for: context.client)
    }
}
