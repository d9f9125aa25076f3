internal import APICore
internal import ChatAPI
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import Messages
internal import ServerSettings

/// What the routes need that run the model.
struct GenerationServices: Sendable {
    let board: HealthBoard
    let answering: Answering
    let questions: PipeQuestions
    let numbers: RequestNumbers
    /// Seconds since 1970.
    let clock: @Sendable () -> Double
    let base: GenerationRules
    let reportsCache: Bool

    init(_ settings: FrontSettings, _ front: FrontServices) {
        (board, answering, questions, numbers) = (front.board, front.answering, front.questions, front.numbers)
        clock = front.clock
        base = GenerationRules(settings)
        reportsCache = settings.enableCacheReport
    }

    /// What the headers of a request say about it.
    struct Headers: Sendable {
        var routingKey = ""
        var wantsInputIDs = false
        var wantsOutputIDs = false
    }

    /// Checks what is checked before the body is read.
    func headers(_ request: Request) throws(RequestFailure) -> Headers {
        if board.view.isDraining { throw .draining }
        try request.requireJSON()
        try request.requireOnlyRank()
        let isSet = { (name: String) in request.headers[.init(name)!] == "1" }
        return Headers(
            routingKey: request.headers[.init("X-SMG-Routing-Key")!] ?? "",
            wantsInputIDs: isSet("x-sglext-return-input-ids"), wantsOutputIDs: isSet("x-sglext-return-output-ids"))
    }

    /// What holds for a request at this moment.
    ///
    /// - Throws: 400 where the model does not generate.
    func rules(_ headers: Headers) throws(RequestFailure) -> GenerationRules {
        let model = board.view.model
        if let model, model.task.kind != .generation { throw .noGeneratingModel }
        var rules = base
        rules.limits.vocabulary = model.map { Int($0.vocabularySize) } ?? 0
        rules.routingKey = headers.routingKey
        return rules
    }

    /// How answers to a request look.
    func style(_ fields: GenerationFields) -> AnswerStyle {
        AnswerStyle(fields, weightVersion: board.view.weightVersion, reportsCache: reportsCache)
    }
}
