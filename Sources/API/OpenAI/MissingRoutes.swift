internal import APICore
internal import HTTPTypes
internal import Ledger

/// Endpoints in OpenAI's manner that this server does not have: each says what is missing, none pretends to work.
struct MissingRoutes: Sendable {
    private static let paths = ["/v1/audio/transcriptions", "/v1/decisions", "/v1/systemone"]

    var routes: [Route] {
        Self.paths.map { path in
            Route([.post, .put], path, in: OpenAIDialect()) { _, _ in
                throw RequestFailure.invalid("\(path) is not available in this release of the server.")
            }
        }
    }
}
