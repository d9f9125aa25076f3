internal import APICore
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages

/// POST (or PUT) /v1/classify: which of a model's classes a text belongs to, with their probabilities.
struct ClassifyRoute: Sendable {
    let services: VectorServices

    var routes: [Route] {
        [Route([.post, .put], "/v1/classify", in: OpenAIDialect()) { [self] in try await classify($0, $1) }]
    }

    private func classify(_ request: Request, _ context: RouteContext) async throws -> Response {
        try request.requireJSON()
        let view = try services.view()
        let rules = services.rules
        let openings = try await request.reading(context) { fields in
            let inputs = try EmbeddingInput.read(fields)
            _ = try fields.string("model")
            let wishes = try VectorFields.wishes(fields, count: inputs.count)
            return try VectorPlan(inputs, wishes, model: view.model, rules).openings
        }
        let (name, reportsCache) = (services.servedName, services.reportsCache)
        let labels = Labels(view.model)
        let writer = BodyWriter { rows, now, json throws(RequestFailure) in
            json.beginObject()
            json.member("id", "classify-" + RequestNames.fresh())
            json.member("object", "list")
            json.member("created", Int(now))
            json.member("model", name)
            json.key("data")
            json.beginArray()
            for (index, row) in rows.enumerated() { labels.write(try row.vector(), index, to: &json) }
            json.endArray()
            json.vectorUsage(rows, reportsCache: reportsCache)
            json.endObject()
        }
        return try await services.answer(openings, writer, context)
    }
}

/// What the numbers of an answer are called.
private struct Labels: Sendable {
    private let names: [String]
    /// The numbers are those of classes, rather than a vector's.
    private let areClasses: Bool

    init(_ model: ModelFacts?) {
        names = model?.task.labels ?? []
        areClasses = model?.task.kind != .embedding
    }

    func write(_ logits: [Float], _ index: Int, to json: inout JSONWriter) {
        // A vector has no classes: the reference then says so.
        let probabilities = areClasses ? softmax(logits.map(Double.init)) : [1]
        let best = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
        json.beginObject()
        json.member("index", index)
        json.member("label", areClasses ? (names.indices.contains(best) ? names[best] : "LABEL_\(best)") : "Default")
        json.key("probs")
        json.beginArray()
        for probability in probabilities { json.double(probability) }
        json.endArray()
        json.member("num_classes", probabilities.count)
        json.endObject()
    }
}

/// Probabilities in the ratio of the numbers' exponentials.
func softmax(_ logits: [Double]) -> [Double] {
    let most = logits.max() ?? 0
    guard most.isFinite else { return logits.map { $0 == most ? 1 : 0 } }
    let weights = logits.map { exp($0 - most) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
}
