internal import APICore
internal import ChatAPI
internal import Hummingbird
internal import Ledger

/// POST /v1/chat/completions: a conversation goes to the model's template, and the answer comes whole or as a stream.
struct ChatRoute: Sendable {
    let planner: ChatPlanner
    /// The answer holds ids even where nobody asks for them.
    let returnsIDs: (input: Bool, output: Bool)

    var routes: [Route] {
        ["/v1/chat/completions", "/invocations"].map { path in
            Route([.post, .put], path, in: OpenAIDialect()) { [self] in try await chat($0, $1) }
        }
    }

    private func chat(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try planner.generation.headers(request)
        let chat = try await request.reading(context) { body in
            try planner.plan(body, headers) { chat in
                chat.parts.extendedInput = chat.parts.extendedInput || returnsIDs.input || headers.wantsInputIDs
                chat.parts.extendedOutput = chat.parts.extendedOutput || returnsIDs.output || headers.wantsOutputIDs
            }
        }
        let style = ChatWriter.Style(
            answer: planner.generation.style(chat.request.fields), topLogprobs: chat.request.topLogprobs,
            wishes: chat.request.parts, parts: chat.parts, earlierCalls: chat.request.earlierCalls)
        return try await planner.generation.answering.answer(
            chat.order, with: ChatWriter(style, rows: chat.openings.count), for: context.client)
    }
}
