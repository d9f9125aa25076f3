package import APICore
package import ChatAPI
internal import Ledger
package import ServerSettings

/// SGLang's own interface: text for a prompt, vectors and ids for text, sessions, and what the model is.
package struct NativeAPI: Sendable {
    private let generate: GenerateRoute
    private let texts: TextRoutes
    private let sessions: SessionRoutes
    private let models: ModelRoutes
    private let encode: EncodeRoute

    /// The interface of one front.
    package init(_ settings: FrontSettings, _ front: FrontServices, _ planner: ChatPlanner) {
        generate = GenerateRoute(
            settings: .init(settings, planner.parsers), board: front.board, answering: front.answering,
            keepsake: front.keepsake, numbers: front.numbers)
        texts = TextRoutes(
            questions: front.questions, board: front.board, rules: planner.rules, clock: front.clock)
        sessions = SessionRoutes(keepsake: front.keepsake)
        encode = EncodeRoute(settings, board: front.board, answering: front.answering)
        models = ModelRoutes(settings: settings, board: front.board, started: front.clock())
    }

    /// Every endpoint of the interface.
    package var routes: [Route] {
        generate.routes + texts.routes + sessions.routes + models.routes + encode.routes
    }
}
