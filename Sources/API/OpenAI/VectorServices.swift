internal import APICore
internal import Hummingbird
internal import Ledger
internal import Messages
internal import ServerSettings

/// What the routes for vectors and scores are made from.
struct VectorServices: Sendable {
    let rules: VectorRules
    let servedName: String
    /// Usage tells how much of the prompts was cached.
    let reportsCache: Bool
    /// Times of requests are told.
    let withTimes: Bool
    /// The model's template has it judge documents by "yes" or "no".
    let judges: Bool
    let questions: PipeQuestions
    /// Seconds since 1970.
    let clock: @Sendable () -> Double
    /// Names the weights that answers were computed with.
    var weights: WeightNames { board.weights }
    private let board: HealthBoard
    private let answering: Answering

    init(_ settings: FrontSettings, _ front: FrontServices, judges: Bool) {
        rules = VectorRules(allowsTruncation: settings.allowAutoTruncate, modelPath: settings.modelPath)
        servedName = settings.servedModelName
        (reportsCache, withTimes) = (settings.enableCacheReport, settings.enableMetrics)
        self.judges = judges
        (board, answering, questions, clock) = (front.board, front.answering, front.questions, front.clock)
    }

    /// A model that generates judges documents, as far as is known.
    func isJudge(_ view: HealthBoard.View) throws(RequestFailure) -> Bool {
        guard judges else { return false }
        guard (view.model?.task.kind ?? .generation) == .generation else {
            throw .invalid(
                "Detected Qwen3 reranker chat template, but the server is not in generation mode. Please relaunch "
                    + "without --is-embedding for Qwen3-Reranker models.")
        }
        return true
    }

    /// A look at the board.
    ///
    /// - Throws: `.draining` when no more requests are taken.
    func view() throws(RequestFailure) -> HealthBoard.View {
        let view = board.view
        if view.isDraining { throw .draining }
        return view
    }

    /// The answer for rows that are to be opened.
    func answer(
        _ openings: [RequestLedger.Opening], _ writer: BodyWriter, _ context: RouteContext
    ) async throws -> Response {
        try await answering.answer(
            Answering.Order(openings, isStreamed: false), with: writer, for: context.client)
    }
}
