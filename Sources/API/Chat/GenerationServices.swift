package import APICore
internal import HTTPTypes
package import Hummingbird
package import Ledger
internal import Messages
package import ServerSettings

/// What the routes need that run the model.
package struct GenerationServices: Sendable {
    package let board: HealthBoard
    package let answering: Answering
    package let questions: PipeQuestions
    package let numbers: RequestNumbers
    /// Seconds since 1970.
    package let clock: @Sendable () -> Double
    /// How much of the prompts was cached is told.
    package let reportsCache: Bool
    private let base: GenerationRules

    package init(_ settings: FrontSettings, _ front: FrontServices) {
        (board, answering, questions, numbers) = (front.board, front.answering, front.questions, front.numbers)
        clock = front.clock
        base = GenerationRules(settings)
        reportsCache = settings.enableCacheReport
    }

    /// What the headers of a request say about it.
    package struct Headers: Sendable {
        package var routingKey = ""
        package var wantsInputIDs = false
        package var wantsOutputIDs = false

        /// Those of a request that came without any.
        package init() {}
    }

    /// Checks what is checked before the body is read.
    package func headers(_ request: Request, needsJSON: Bool = true) throws(RequestFailure) -> Headers {
        if board.view.isDraining { throw .draining }
        if needsJSON { try request.requireJSON() }
        try request.requireOnlyRank()
        let isSet = { (name: String) in request.headers[.init(name)!] == "1" }
        var headers = Headers()
        headers.routingKey = request.headers[.routingKey] ?? ""
        headers.wantsInputIDs = isSet("x-sglext-return-input-ids")
        headers.wantsOutputIDs = isSet("x-sglext-return-output-ids")
        return headers
    }

    /// What holds for a request at this moment.
    ///
    /// - Throws: 400 where the model does not generate.
    package func rules(_ headers: Headers) throws(RequestFailure) -> GenerationRules {
        let model = board.view.model
        if let model, model.task.kind != .generation { throw .noGeneratingModel }
        var rules = base
        rules.limits.vocabulary = model.map { Int($0.vocabularySize) } ?? 0
        rules.routingKey = headers.routingKey
        return rules
    }
}
