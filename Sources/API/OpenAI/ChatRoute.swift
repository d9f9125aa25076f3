internal import APICore
internal import ChatAPI
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages

/// POST /v1/chat/completions: a conversation goes to the model's template, and the answer comes whole or as a stream.
struct ChatRoute: Sendable {
    let generation: GenerationServices
    let rules: ChatRequest.Rules
    /// The answer holds ids even where nobody asks for them.
    let returnsIDs: (input: Bool, output: Bool)

    var routes: [Route] {
        [Route([.post, .put], "/v1/chat/completions", in: OpenAIDialect()) { [self] in try await chat($0, $1) }]
    }

    private func chat(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try generation.headers(request)
        let (chat, openings) = try await request.reading(context) { fields throws(RequestFailure) in
            try plan(fields, headers)
        }
        let style = ChatWriter.Style(
            answer: generation.style(chat.fields), topLogprobs: chat.topLogprobs, wishes: chat.parts)
        var order = Answering.Order(openings, isStreamed: chat.fields.isStreamed)
        order.tellsEarlyFailures = true
        return try await generation.answering.answer(
            order, with: ChatWriter(style, rows: openings.count), for: context.client)
    }

    private func plan(
        _ body: RequestFields, _ headers: GenerationServices.Headers
    ) throws(RequestFailure) -> (ChatRequest, [RequestLedger.Opening]) {
        var chat = try ChatRequest(body, rules, now: generation.clock())
        chat.parts.extendedInput = chat.parts.extendedInput || returnsIDs.input || headers.wantsInputIDs
        chat.parts.extendedOutput = chat.parts.extendedOutput || returnsIDs.output || headers.wantsOutputIDs
        var plan = GenerationPlan([chat.prompt], chat.fields)
        if let count = chat.topLogprobs {
            plan.logprobs = .make {
                $0.start = -1
                $0.topCount = UInt32(clamping: max(0, count))
                $0.withText = true
            }
        }
        plan.wantsPromptIDs = chat.parts.promptIDs || chat.parts.extendedInput
        return (chat, try plan.openings(try generation.rules(headers), serial: generation.numbers.next()))
    }
}
