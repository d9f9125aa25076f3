package import APICore
package import ServerSettings

/// OpenAI's interface.
package struct OpenAIAPI: Sendable {
    /// Every endpoint of the interface.
    package let routes: [Route]

    /// The interface of one front.
    package init(_ settings: FrontSettings, _ front: FrontServices) {
        routes = VectorServices(settings, front).routes + MissingRoutes().routes
    }
}

extension VectorServices {
    /// The endpoints for vectors and scores of texts.
    var routes: [Route] {
        EmbeddingsRoute(services: self).routes + ClassifyRoute(services: self).routes
            + ScoreRoute(services: self).routes + RerankRoute(services: self).routes
    }
}
