package import APICore
package import ChatAPI
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages

/// OpenAI's newer interface. With a store responses can be asked for again, gone on from, and made in the background.
package struct ResponsesAPI: Sendable {
    private let planner: ChatPlanner
    private let servedName: String
    /// Nil: responses are not kept, and what needs earlier ones is refused.
    private let store: ResponseStore?
    /// Where neither request nor model says.
    private static let temperature = 0.7

    /// - Parameter servedName: what the server calls its model.
    package init(_ planner: ChatPlanner, servedName: String, store: ResponseStore?) {
        self.planner = planner
        self.servedName = servedName
        self.store = store
    }

    /// Every endpoint of the interface.
    package var routes: [Route] {
        [
            Route([.post, .put], "/v1/responses", in: ResponsesDialect()) { [self] in try await respond($0, $1) },
            Route([.get], "/v1/responses/:id", in: Self.dialect) { [self] request, _ in
                told { () throws(RequestFailure) in try shown(request) }
            },
            Route([.delete], "/v1/responses/:id", in: Self.dialect) { [self] request, _ in
                told { () throws(RequestFailure) in try deleted(request) }
            },
            Route([.post], "/v1/responses/:id/cancel", in: Self.dialect) { [self] request, _ in
                told { () throws(RequestFailure) in try cancelled(request) }
            },
        ]
    }

    private static let dialect = ResponsesDialect(blaming: "response_id")

    /// The answer of a route whose path has a name in it, by which nobody else would find its dialect.
    private func told(_ answer: () throws(RequestFailure) -> Response) -> Response {
        do { return try answer() } catch { return Self.dialect.response(to: error) }
    }

    // MARK: New responses

    private func respond(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try planner.generation.headers(request)
        let proposed = planner.rules.defaults.proposed["temperature"]?.doubleValue
        let (asked, chat) = try await request.reading(context) { body in
            if let model = try body.string("model"), model != servedName { throw RequestFailure.unknownModel(model) }
            let asked = try ResponsesRequest(
                body, temperature: proposed ?? Self.temperature, earlier: conversation(before: body),
                canStore: store != nil)
            return (asked, try planner.plan(RequestFields(asked.chat), headers))
        }
        let writer = ResponsesWriter(.init(asked.repeated, chat), chat.parts)
        guard let store, asked.isStored else {
            return try await planner.generation.answering.answer(chat.order, with: writer, for: context.client)
        }
        if asked.isInBackground { return .json(.object(try store.begin(asked, chat, planner))) }
        var order = chat.order
        order.onAnswer = { rows in store.keep(rows[0], asked.conversation, writer) }
        return try await planner.generation.answering.answer(order, with: writer, for: context.client)
    }

    /// The messages of the response that a new one goes on from; nil where it names none.
    private func conversation(before body: RequestFields) throws(RequestFailure) -> [JSONValue]? {
        guard let id = try body.string("previous_response_id") else { return nil }
        guard let store else { throw .invalid(ResponsesRequest.noStore) }
        let earlier = try store.response(named: id)
        guard !earlier.hasWork else { throw .invalid("Response with id '\(id)' is not complete.") }
        return (try? JSON.parse(earlier.messages).arrayValue) ?? []
    }

    // MARK: Responses that are kept

    private func shown(_ request: Request) throws(RequestFailure) -> Response {
        let (id, store) = try named(request)
        if let wish = request.uri.queryParameters["stream"], wish == "true" { throw .unsupported("stream") }
        return .json(bytes: Array(try store.response(named: id).response.utf8))
    }

    private func deleted(_ request: Request) throws(RequestFailure) -> Response {
        let (id, store) = try named(request)
        try store.delete(id)
        return .json(["id": .string(id), "object": "response", "deleted": true])
    }

    private func cancelled(_ request: Request) throws(RequestFailure) -> Response {
        let (id, store) = try named(request)
        return .json(.object(try store.cancel(id)))
    }

    /// The response that a path is about.
    private func named(_ request: Request) throws(RequestFailure) -> (id: String, store: ResponseStore) {
        guard let store else { throw .invalid(ResponsesRequest.noStore) }
        let parts = request.uri.path.split(separator: "/")
        return (parts.count > 2 ? parts[2].percentDecoded : "", store)
    }
}
