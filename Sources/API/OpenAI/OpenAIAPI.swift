package import APICore
package import ChatAPI
package import ServerSettings

/// OpenAI's interface.
package struct OpenAIAPI: Sendable {
    /// Every endpoint of the interface.
    package let routes: [Route]

    /// The interface of one front.
    ///
    /// - Parameter judges: the model's template has it judge documents by "yes" or "no".
    package init(_ settings: FrontSettings, _ front: FrontServices, _ planner: ChatPlanner, judges: Bool) {
        let chat = ChatRoute(planner: planner, returnsIDs: (settings.returnInputIDs, settings.returnOutputIDs))
        let completions = CompletionRoute(
            generation: planner.generation, defaults: planner.rules.defaults.withoutProposals)
        routes =
            chat.routes + completions.routes + ParserRoutes().routes
            + VectorServices(settings, front, judges: judges).routes
            + MissingRoutes().routes
    }
}

extension VectorServices {
    /// The endpoints for vectors and scores of texts.
    var routes: [Route] {
        EmbeddingsRoute(services: self).routes + ClassifyRoute(services: self).routes
            + ScoreRoute(services: self).routes + RerankRoute(services: self).routes
    }
}
