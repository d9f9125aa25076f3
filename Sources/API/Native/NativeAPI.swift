package import APICore
internal import Ledger
package import ServerSettings

/// SGLang's own interface: text for a prompt, ids for text, sessions, and what the model is.
package struct NativeAPI: Sendable {
    private let generate: GenerateRoute
    private let texts: TextRoutes
    private let sessions: SessionRoutes
    private let models: ModelRoutes
    private let missing = MissingRoutes()

    /// - Parameters:
    ///   - numbers: give each request one of its own.
    ///   - clock: seconds since 1970.
    package init(
        _ settings: FrontSettings, _ front: FrontServices, sessions store: SessionStore
    ) {
        generate = GenerateRoute(
            settings: .init(settings), board: front.board, answering: front.answering, sessions: store,
            numbers: front.numbers, clock: front.clock)
        texts = TextRoutes(questions: front.questions, board: front.board)
        sessions = SessionRoutes(sessions: store, clock: front.clock)
        models = ModelRoutes(settings: settings, board: front.board, started: front.clock())
    }

    /// Every endpoint of the interface.
    package var routes: [Route] {
        generate.routes + texts.routes + sessions.routes + models.routes + missing.routes
    }
}
