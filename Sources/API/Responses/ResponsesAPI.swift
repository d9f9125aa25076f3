package import APICore
package import ChatAPI
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger

/// OpenAI's newer interface. Nothing is stored: what needs earlier responses is refused.
package struct ResponsesAPI: Sendable {
    private let planner: ChatPlanner
    private let servedName: String
    /// Where neither request nor model says.
    private static let temperature = 0.7

    /// - Parameter servedName: what the server calls its model.
    package init(_ planner: ChatPlanner, servedName: String) {
        self.planner = planner
        self.servedName = servedName
    }

    /// Every endpoint of the interface.
    package var routes: [Route] {
        [
            Route([.post, .put], "/v1/responses", in: ResponsesDialect()) { [self] in try await respond($0, $1) },
            Route([.get], "/v1/responses/:id", in: ResponsesDialect()) { _, _ in Self.stored },
            Route([.post], "/v1/responses/:id/cancel", in: ResponsesDialect()) { _, _ in Self.stored },
        ]
    }

    /// What those get who ask for a response that was given before.
    private static var stored: Response {
        ResponsesDialect(blaming: "response_id").response(to: .invalid(ResponsesRequest.noStore))
    }

    private func respond(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try planner.generation.headers(request)
        let proposed = planner.rules.defaults.proposed["temperature"]?.doubleValue
        let (asked, chat) = try await request.reading(context) { body in
            if let model = try body.string("model"), model != servedName { throw RequestFailure.unknownModel(model) }
            let asked = try ResponsesRequest(body, temperature: proposed ?? Self.temperature)
            return (asked, try planner.plan(RequestFields(asked.chat), headers))
        }
        let style = ResponsesWriter.Style(
            model: chat.request.fields.model, repeated: asked.repeated, earlierCalls: chat.request.earlierCalls)
        return try await planner.generation.answering.answer(
            chat.order, with: ResponsesWriter(style, chat.parts), for: context.client)
    }
}
