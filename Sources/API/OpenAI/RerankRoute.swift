internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages

/// POST (or PUT) /v1/rerank: documents in the order in which they answer a query.
struct RerankRoute: Sendable {
    let services: VectorServices

    var routes: [Route] {
        [Route([.post, .put], "/v1/rerank", in: OpenAIDialect()) { [self] in try await rerank($0, $1) }]
    }

    private func rerank(_ request: Request, _ context: RouteContext) async throws -> Response {
        try request.requireJSON()
        let view = try services.view()
        let isJudge = try services.isJudge(view)
        let wanted = try await request.reading(context) { fields in try RerankRequest(fields) }
        let openings =
            isJudge
            ? try await JudgedDocuments(wanted, services.questions).openings(services.rules, now: services.clock())
            : try pairs(wanted, view)
        let answer = VectorAnswer(weights: services.weights, withTimes: services.withTimes)
        let writer = BodyWriter { rows, now, json throws(RequestFailure) in
            var scores: [Float] = []
            for row in rows {
                scores.append(isJudge ? try JudgedDocuments.score(of: row) : try row.vector().first ?? .nan)
            }
            RerankAnswer(wanted, scores).write(rows, answer, now: now, to: &json)
        }
        return try await services.answer(openings, writer, context)
    }

    /// Rows for a model that scores pairs.
    private func pairs(
        _ wanted: RerankRequest, _ view: HealthBoard.View
    ) throws(RequestFailure) -> [RequestLedger.Opening] {
        if view.model?.task.kind == .embedding { throw .invalid(Self.noScores) }
        let pairs = wanted.documents.map { VectorInput.pair(wanted.query, $0) }
        return try VectorPlan(pairs, wanted.wishes, model: view.model, services.rules).openings
    }

    private static let noScores =
        "This model makes vectors of single texts; /v1/rerank needs a cross-encoder, which scores pairs."
}

/// The documents of an answer, best first.
struct RerankAnswer {
    private let request: RerankRequest
    private let scores: [Float]

    /// The answer to a request whose documents have these scores.
    init(_ request: RerankRequest, _ scores: [Float]) {
        self.request = request
        self.scores = scores
    }

    /// Places of the documents, by score, equals as they came; those without a score come last.
    private var order: [Int] {
        let ranked = scores.map { $0.isNaN ? -Float.infinity : $0 }
        let sorted = ranked.indices.sorted { (-ranked[$0], $0) < (-ranked[$1], $1) }
        return Array(sorted.prefix(request.count ?? sorted.count))
    }

    /// Writes the list.
    func write(_ rows: [LedgerRow], _ answer: VectorAnswer, now: Double, to json: inout JSONWriter) {
        json.beginArray()
        for place in order {
            json.beginObject()
            json.key("score")
            json.float(scores[place])
            if request.returnsDocuments { json.member("document", request.documents[place]) }
            json.member("index", place)
            json.key("meta_info")
            answer.writeMetaInfo(rows[place], now: now, to: &json)
            json.endObject()
        }
        json.endArray()
    }
}
