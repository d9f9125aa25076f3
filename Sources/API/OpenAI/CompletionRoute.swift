internal import APICore
internal import ChatAPI
internal import Hummingbird
internal import Ledger
internal import Messages

/// POST /v1/completions: text or ids go on, whole or as a stream.
struct CompletionRoute: Sendable {
    let generation: GenerationServices
    let defaults: GenerationFields.Defaults

    var routes: [Route] {
        [Route([.post, .put], "/v1/completions", in: OpenAIDialect()) { [self] in try await complete($0, $1) }]
    }

    private func complete(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try generation.headers(request)
        let (completion, openings) = try await request.reading(context) { fields in
            try plan(fields, headers)
        }
        var style = CompletionWriter.Style(
            answer: generation.style(completion.fields), logprobs: completion.logprobs,
            returnsTokenIDs: completion.returnsTokenIDs)
        if completion.echoes { style.echoes = try await texts(completion.prompts) }
        var order = Answering.Order(openings, isStreamed: completion.fields.isStreamed)
        order.tellsEarlyFailures = true
        return try await generation.answering.answer(
            order, with: CompletionWriter(style, rows: openings.count), for: context.client)
    }

    private func plan(
        _ body: RequestFields, _ headers: GenerationServices.Headers
    ) throws(RequestFailure) -> (CompletionRequest, [RequestLedger.Opening]) {
        let completion = try CompletionRequest(body, defaults)
        var plan = GenerationPlan(completion.prompts, completion.fields)
        if let count = completion.logprobs {
            plan.logprobs = .make {
                $0.start = completion.echoes ? 0 : -1
                $0.topCount = UInt32(clamping: max(0, count))
                $0.withText = true
            }
        }
        plan.wantsPromptIDs = completion.returnsTokenIDs
        return (completion, try plan.openings(try generation.rules(headers), serial: generation.numbers.next()))
    }

    /// The prompts as text.
    private func texts(_ prompts: [GenerationPlan.Prompt]) async throws(RequestFailure) -> [String] {
        var texts: [String] = []
        for prompt in prompts {
            switch prompt {
            case .text(let text): texts.append(text)
            case .ids(let ids):
                guard let reply = await generation.questions.decode([ids.map(Int32.init)], skipSpecialTokens: true)
                else { throw .notReady }
                guard reply.error.isEmpty else { throw .invalid(reply.error) }
                texts += reply.texts
            case .conversation: texts.append("")
            }
        }
        return texts
    }
}
