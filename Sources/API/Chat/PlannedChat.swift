package import APICore
internal import JSON
package import Ledger
internal import Messages

/// Turns bodies of chats into rows: the same for every interface that has chats.
package struct ChatPlanner: Sendable {
    package let generation: GenerationServices
    package let rules: ChatRequest.Rules
    package let parsers: ChatParsers

    package init(_ generation: GenerationServices, _ rules: ChatRequest.Rules, _ parsers: ChatParsers) {
        self.generation = generation
        self.rules = rules
        self.parsers = parsers
    }

    /// A chat that can run.
    ///
    /// - Parameter change: what an interface adds to the request.
    package func plan(
        _ body: RequestFields, _ headers: GenerationServices.Headers, _ change: (inout ChatRequest) -> Void = { _ in }
    ) throws(RequestFailure) -> PlannedChat {
        var chat = try ChatRequest(body, rules, now: generation.clock())
        change(&chat)
        if parsers.needsSpecialTokens(chat) { chat.fields.sampling["skip_special_tokens"] = false }
        let isFree = !SamplingRanges.haveGrammar(chat.fields.sampling)
        if isFree, let constraint = parsers.constraint(of: chat) {
            chat.fields.sampling[constraint.key] = .string(constraint.text)
        }
        var plan = GenerationPlan([chat.prompt], chat.fields)
        if let count = chat.topLogprobs {
            plan.logprobs = .make {
                $0.start = -1
                $0.topCount = UInt32(clamping: max(0, count))
                $0.withText = true
            }
        }
        if !isFree { plan.grammarAfter = parsers.answerOpenings(chat) }
        plan.thinking = parsers.thinkingPart(of: chat)
        plan.wantsPromptIDs = chat.parts.promptIDs || chat.parts.extendedInput
        let openings = try plan.openings(try generation.rules(headers), serial: generation.numbers.next())
        return PlannedChat(request: chat, openings: openings, parts: parsers.parts(for: chat))
    }

    /// The number of tokens that a chat's prompt has.
    package func count(_ body: RequestFields) async throws(RequestFailure) -> Int {
        let conversation = try ChatRequest.conversation(body, rules, now: generation.clock())
        guard let reply = await generation.questions.encode(conversation, addSpecialTokens: false) else {
            throw .notReady
        }
        guard reply.error.isEmpty else { throw .invalid(reply.error) }
        return reply.lists.first?.ids.count ?? 0
    }
}

/// A chat whose rows can be opened.
package struct PlannedChat: Sendable {
    package var request: ChatRequest
    package var openings: [RequestLedger.Opening]
    /// Takes the text of each row apart.
    package var parts: AnswerParts

    /// What is asked of the loop that answers.
    package var order: Answering.Order {
        var order = Answering.Order(openings, isStreamed: request.fields.isStreamed)
        order.tellsEarlyFailures = true
        return order
    }
}

/// Reads the pieces of a row as it grows.
package struct PieceReader: Sendable {
    package private(set) var parts: AnswerParts
    /// Bytes of text that were taken apart.
    private var text = 0

    package init(_ parts: AnswerParts) { self.parts = parts }

    /// What is new since the last call.
    package mutating func pieces(_ row: LedgerRow) -> [AnswerPiece] {
        let fresh = String(decoding: row.output.text[text...], as: UTF8.self)
        text = row.output.text.count
        return parts.feed(fresh) + (row.isEnded ? parts.finish() : [])
    }
}
