internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import ServerSettings

/// POST (or PUT) /v1/embeddings: vectors of texts, as numbers or in Base64.
struct EmbeddingsRoute: Sendable {
    let services: VectorServices

    var routes: [Route] {
        [Route([.post, .put], "/v1/embeddings", in: OpenAIDialect()) { [self] in try await embed($0, $1) }]
    }

    private func embed(_ request: Request, _ context: RouteContext) async throws -> Response {
        try request.requireJSON()
        let view = try services.view()
        let rules = services.rules
        let (isBase64, openings) = try await request.reading(context) { fields in
            let inputs = try EmbeddingInput.read(fields)
            var wishes = try VectorFields.wishes(fields, count: inputs.count)
            let format = try fields.string("encoding_format") ?? "float"
            wishes.dimensions = try fields.int("dimensions")
            _ = try fields.string("model")
            guard ["float", "base64"].contains(format) else {
                throw RequestFailure.invalid("encoding_format must be either 'float' or 'base64', got '\(format)'")
            }
            return (format == "base64", try VectorPlan(inputs, wishes, model: view.model, rules).openings)
        }
        let (path, reportsCache) = (rules.modelPath, services.reportsCache)
        let capacity = openings.count * (64 + 12 * Int(view.model?.task.width ?? 0))
        let writer = BodyWriter(capacity: capacity) { rows, _, json throws(RequestFailure) in
            json.beginObject()
            json.key("data")
            json.beginArray()
            for (index, row) in rows.enumerated() {
                let vector = try row.vector()
                json.beginObject()
                json.key("embedding")
                // What has a number for each token has no place in a list of numbers.
                if isBase64, row.output.vectorTokens == nil { json.base64(vector) } else { json.vector(of: row) }
                json.member("index", index)
                json.member("object", "embedding")
                json.endObject()
            }
            json.endArray()
            json.member("model", path)
            json.member("object", "list")
            json.vectorUsage(rows, reportsCache: reportsCache)
            json.endObject()
        }
        return try await services.answer(openings, writer, context)
    }
}
