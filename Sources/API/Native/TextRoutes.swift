internal import APICore
internal import ChatAPI
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages

/// Text to ids and back: /tokenize and /detokenize, with and without /v1.
struct TextRoutes: Sendable {
    let questions: PipeQuestions
    let board: HealthBoard
    /// How conversations are read.
    let rules: ChatRequest.Rules
    /// Seconds since 1970.
    let clock: @Sendable () -> Double

    var routes: [Route] {
        ["", "/v1"].flatMap { prefix in
            [
                Route([.post], prefix + "/tokenize") { [self] in try await tokenize($0, $1) },
                Route([.post], prefix + "/detokenize") { [self] in try await detokenize($0, $1) },
            ]
        }
    }

    private func fields(_ request: Request, _ context: RouteContext) async throws -> RequestFields {
        try request.requireJSON()
        return try await request.fields(context)
    }

    private func tokenize(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await fields(request, context)
        let prompt = try fields.oneOrMany("prompt", "a valid string", \.stringValue)
        let addsSpecialTokens = try fields.bool("add_special_tokens", or: true)
        guard (prompt == nil) != (fields["messages"] == nil) else {
            throw RequestFailure.malformed("body: Value error, Exactly one of 'prompt' or 'messages' must be provided.")
        }
        guard let prompt else { return try await tokenize(conversationOf: fields) }
        guard let reply = await questions.encode(prompt.all, addSpecialTokens: addsSpecialTokens),
            reply.lists.count == prompt.all.count
        else { throw RequestFailure.notReady }
        let lists = reply.lists.map { list in JSONValue.array(list.ids.map { .int(Int64($0)) }) }
        let counts = reply.lists.map { JSONValue.int(Int64($0.ids.count)) }
        let length = board.view.model.map { JSONValue.int(Int64($0.contextLength)) } ?? .null
        let isList = prompt.count != nil
        return .json([
            "tokens": isList ? .array(lists) : lists[0], "count": isList ? .array(counts) : counts[0],
            "max_model_len": length,
        ])
    }

    /// The tokens of a chat's prompt; how its messages end is the request's to say.
    private func tokenize(conversationOf fields: RequestFields) async throws -> Response {
        var conversation = try ChatRequest.conversation(fields, rules, now: clock())
        let isVerbatim = fields["add_generation_prompt"] != nil
        if isVerbatim {
            conversation.ending = try fields.bool("add_generation_prompt") ? .opened : .closed
        }
        let addsSpecialTokens = try isVerbatim && fields.bool("add_special_tokens")
        guard let reply = await questions.encode(conversation, addSpecialTokens: addsSpecialTokens) else {
            throw RequestFailure.notReady
        }
        guard reply.error.isEmpty, let ids = reply.lists.first?.ids else { throw RequestFailure.invalid(reply.error) }
        return .json([
            "tokens": .array(ids.map { .int(Int64($0)) }), "count": .int(Int64(ids.count)),
            "max_model_len": board.view.model.map { .int(Int64($0.contextLength)) } ?? .null,
        ])
    }

    private func detokenize(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await fields(request, context)
        let lists = try fields.required("tokens", fields.idLists)
        let skips = try fields.bool("skip_special_tokens", or: true)
        let ids = try lists.all.map { list in
            try list.map { id in
                guard let narrow = Int32(exactly: id), narrow >= 0 else {
                    throw RequestFailure.invalid("tokens contains out-of-vocabulary token id \(id).")
                }
                return narrow
            }
        }
        guard let reply = await questions.decode(ids, skipSpecialTokens: skips) else { throw RequestFailure.notReady }
        guard reply.error.isEmpty else { throw RequestFailure.invalid(reply.error) }
        guard reply.texts.count == ids.count else { throw RequestFailure.notReady }
        let texts = reply.texts.map { JSONValue.string($0) }
        return .json(["text": lists.count == nil ? texts[0] : .array(texts)])
    }
}
