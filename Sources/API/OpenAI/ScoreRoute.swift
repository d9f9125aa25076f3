internal import APICore
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// POST (or PUT) /v1/score: how probable some tokens are behind each of several prompts, or what a scoring model says of them.
struct ScoreRoute: Sendable {
    let services: VectorServices

    var routes: [Route] {
        [Route([.post, .put], "/v1/score", in: OpenAIDialect()) { [self] in try await score($0, $1) }]
    }

    private func score(_ request: Request, _ context: RouteContext) async throws -> Response {
        try request.requireJSON()
        let view = try services.view()
        let rules = services.rules
        let (wanted, openings) = try await request.reading(context) { fields in
            let wanted = try ScoreRequest(fields)
            switch view.model?.task.kind ?? .generation {
            case .generation, .UNRECOGNIZED:
                let prompts = try wanted.prompts(vocabulary: Int(view.model?.vocabularySize ?? 0))
                return (wanted, Self.openings(prompts, wanted, rules))
            case .embedding: throw RequestFailure.invalid(Self.noScores)
            case .crossEncoder, .classification:
                let inputs = try wanted.inputs(asPairs: view.model?.task.kind == .crossEncoder)
                return (wanted, try VectorPlan(inputs, wanted.wishes, model: view.model, rules).openings)
            }
        }
        let reportsCache = services.reportsCache
        let writer = BodyWriter { rows, _, json throws(RequestFailure) in
            json.beginObject()
            json.key("scores")
            json.beginArray()
            for row in rows {
                json.beginArray()
                for score in try wanted.scores(of: row) { json.double(score) }
                json.endArray()
            }
            json.endArray()
            json.member("pooled_hidden_states", .null)
            json.member("token_logprobs", .null)
            json.member("model", wanted.model)
            json.vectorUsage(rows, reportsCache: reportsCache)
            json.member("object", "scoring")
            json.endObject()
        }
        return try await services.answer(openings, writer, context)
    }

    private static let noScores =
        "This model makes vectors of single texts; /v1/score needs a model that generates, classifies or scores pairs."

    private static func openings(
        _ prompts: [Generate], _ wanted: ScoreRequest, _ rules: VectorRules
    ) -> [RequestLedger.Opening] {
        prompts.enumerated().map { index, prompt in
            var prompt = prompt
            prompt.allowTruncate = rules.allowsTruncation
            if let priority = wanted.wishes.priority { prompt.options.priority = Int64(priority) }
            return RequestLedger.Opening(
                .generate(prompt), rid: ClientName(wanted.wishes.rids?[index] ?? RequestNames.fresh()))
        }
    }
}

extension ScoreRequest {
    /// The scores that a row ended with.
    func scores(of row: LedgerRow) throws(RequestFailure) -> [Double] {
        guard case .generate = row.errand else {
            let vector = try row.vector().map(Double.init)
            return appliesSoftmax ? softmax(scaled(vector)) : vector
        }
        let logprobs = try row.labelLogprobs(labels?.count ?? 0)
        return appliesSoftmax ? softmax(scaled(logprobs)) : logprobs.map { exp($0) }
    }

    private func scaled(_ values: [Double]) -> [Double] { values.map { $0 / temperature } }
}
