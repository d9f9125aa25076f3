internal import Hummingbird
internal import JSON
internal import Messages
internal import ServerSettings

/// Text to ids and back: /tokenize and /detokenize, with and without /v1.
struct TextRoutes: Sendable {
    let front: Front

    var routes: [Routes.Route] {
        ["", "/v1"].flatMap { prefix in
            [
                .init([.post], prefix + "/tokenize") { [self] in try await tokenize($0, $1) },
                .init([.post], prefix + "/detokenize") { [self] in try await detokenize($0, $1) },
            ] as [Routes.Route]
        }
    }

    private func fields(_ request: Request, _ context: FrontContext) async throws -> RequestFields {
        try request.requireJSON()
        return try RequestFields(body: try await request.bytes(upTo: front.settings.maxBodySize, context))
    }

    private func tokenize(_ request: Request, _ context: FrontContext) async throws -> Response {
        let fields = try await fields(request, context)
        let prompt = try fields.oneOrMany("prompt", "a valid string", \.stringValue)
        let addsSpecialTokens = try fields.bool("add_special_tokens", or: true)
        guard (prompt == nil) != (fields["messages"] == nil) else {
            throw RequestFailure.schema("body: Value error, Exactly one of 'prompt' or 'messages' must be provided.")
        }
        guard let prompt else {
            throw RequestFailure.missing(
                "/tokenize with messages needs chat templates, which this release does not have.")
        }
        guard let reply = await front.encode(prompt.all, addSpecialTokens: addsSpecialTokens),
            reply.lists.count == prompt.all.count
        else { throw RequestFailure.notReady }
        let lists = reply.lists.map { list in JSONValue.array(list.ids.map { .int(Int64($0)) }) }
        let counts = reply.lists.map { JSONValue.int(Int64($0.ids.count)) }
        let length = front.board.view.model.map { JSONValue.int(Int64($0.contextLength)) } ?? .null
        let isList = prompt.count != nil
        return .json([
            "tokens": isList ? .array(lists) : lists[0], "count": isList ? .array(counts) : counts[0],
            "max_model_len": length,
        ])
    }

    private func detokenize(_ request: Request, _ context: FrontContext) async throws -> Response {
        let fields = try await fields(request, context)
        let lists = try fields.required("tokens", fields.idLists)
        let skips = try fields.bool("skip_special_tokens", or: true)
        let ids = try lists.all.map { list in
            try list.map { id in
                guard let narrow = Int32(exactly: id), narrow >= 0 else {
                    throw RequestFailure.semantic("tokens contains out-of-vocabulary token id \(id).")
                }
                return narrow
            }
        }
        guard let reply = await front.decode(ids, skipSpecialTokens: skips) else { throw RequestFailure.notReady }
        guard reply.error.isEmpty else { throw RequestFailure.semantic(reply.error) }
        guard reply.texts.count == ids.count else { throw RequestFailure.notReady }
        let texts = reply.texts.map { JSONValue.string($0) }
        return .json(["text": lists.count == nil ? texts[0] : .array(texts)])
    }
}

extension Request {
    /// - Throws: 400 unless the body claims to be JSON, as the /v1 routes demand.
    func requireJSON() throws(RequestFailure) {
        let type =
            (headers[.contentType] ?? "").split(separator: ";").first.map { String($0).trimming { $0 == " " } } ?? ""
        guard type.lowercased() == "application/json" else {
            throw .schema("Unsupported Media Type: Only 'application/json' is allowed")
        }
    }
}
