package import APICore
package import ChatAPI
internal import Hummingbird
internal import JSON
internal import Ledger

/// Anthropic's interface: messages, and how many tokens they have.
package struct AnthropicAPI: Sendable {
    private let planner: ChatPlanner

    package init(_ planner: ChatPlanner) { self.planner = planner }

    /// Every endpoint of the interface.
    package var routes: [Route] {
        [
            Route([.post, .put], "/v1/messages", in: AnthropicDialect()) { [self] in try await messages($0, $1) },
            Route([.post, .put], "/v1/messages/count_tokens", in: AnthropicDialect()) { [self] in
                try await count($0, $1)
            },
        ]
    }

    private func messages(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try planner.generation.headers(request)
        let chat = try await request.reading(context) { body in
            let asked = try MessagesRequest(body)
            return try planner.plan(RequestFields(asked.chat), headers) { $0.thinking.tokens = asked.thinkingTokens }
        }
        let style = MessagesWriter.Style(
            model: chat.request.fields.model, reportsCache: planner.generation.reportsCache,
            earlierCalls: chat.request.earlierCalls)
        return try await planner.generation.answering.answer(
            chat.order, with: MessagesWriter(style, chat.parts), for: context.client)
    }

    private func count(_ request: Request, _ context: RouteContext) async throws -> Response {
        _ = try planner.generation.headers(request)
        let body = RequestFields(try MessagesRequest(try await request.fields(context), countsOnly: true).chat)
        return .json(["input_tokens": .int(Int64(try await planner.count(body)))])
    }
}
