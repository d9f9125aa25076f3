internal import APICore
internal import HTTPTypes
internal import Ledger

/// Endpoints of models that make vectors, which this server does not run.
struct MissingRoutes: Sendable {
    var routes: [Route] {
        ["/encode", "/classify"].map { path in
            Route([.post, .put], path) { _, _ in throw RequestFailure.noEmbeddingModel }
        }
    }
}
