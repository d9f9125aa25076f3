internal import APICore
internal import Hummingbird
internal import Ledger
internal import ServerSettings

/// What the routes for vectors and scores are made from.
struct VectorServices: Sendable {
    let rules: VectorRules
    let servedName: String
    /// Usage tells how much of the prompts was cached.
    let reportsCache: Bool
    /// Times of requests are told.
    let withTimes: Bool
    private let board: HealthBoard
    private let answering: Answering
    let numbers: RequestNumbers

    init(_ settings: FrontSettings, _ front: FrontServices) {
        rules = VectorRules(allowsTruncation: settings.allowAutoTruncate, modelPath: settings.modelPath)
        servedName = settings.servedModelName
        (reportsCache, withTimes) = (settings.enableCacheReport, settings.enableMetrics)
        (board, answering, numbers) = (front.board, front.answering, front.numbers)
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
