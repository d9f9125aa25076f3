package import APICore

/// OpenAI's interface.
package struct OpenAIAPI: Sendable {
    package init() {}

    /// Every endpoint of the interface.
    package var routes: [Route] { MissingRoutes().routes }
}
