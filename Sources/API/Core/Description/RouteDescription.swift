/// What an endpoint takes and answers, for those who read /openapi.json.
///
/// A route without one, and one without a route, fail a test.
package struct RouteDescription: Sendable {
    /// Under which heading an endpoint stands.
    package enum Group: String, Sendable, CaseIterable {
        case generation, vectors, texts, model, health, control, weights, tracing, unavailable

        /// What the heading says.
        var meaning: String {
            switch self {
            case .generation: "Text for prompts"
            case .vectors: "Embeddings, scores and classes"
            case .texts: "Tokens, parsers, sessions"
            case .model: "What the server is"
            case .health: "How the server is, for machines that ask"
            case .control: "Orders to a running server"
            case .weights: "The model's weights and memory"
            case .tracing: "Logs, profiles, recorders"
            case .unavailable: "Known endpoints that a CPU server without these features refuses"
            }
        }
    }

    /// A parameter in a path's query, in the path itself, or in a header.
    package struct Parameter: Sendable {
        /// Where it stands.
        package enum Place: String, Sendable { case query, path, header }

        let name: String
        let place: Place
        let schema: Schema
        let meaning: String

        package init(_ name: String, in place: Place = .query, _ schema: Schema, _ meaning: String) {
            (self.name, self.place, self.schema, self.meaning) = (name, place, schema, meaning)
        }
    }

    /// The body of a request.
    package enum Body: Sendable {
        case none
        /// JSON that must be there.
        case required(Schema)
        /// JSON that may be absent.
        case optional(Schema)
    }

    /// The body of an answer.
    package enum Content: Sendable, Hashable {
        case json, events, lines, text, page, script, style, image
        /// Text or nothing, without a media type.
        case plain

        /// Its media type.
        var mediaType: String? {
            switch self {
            case .json: "application/json"
            case .events: "text/event-stream"
            case .lines: "application/x-ndjson"
            case .text: "text/plain"
            case .page: "text/html"
            case .script: "text/javascript"
            case .style: "text/css"
            case .image: "image/svg+xml"
            case .plain: nil
            }
        }
    }

    /// What comes with a status.
    package struct Answer: Sendable {
        let status: Int
        let content: [(kind: Content, schema: Schema)]
        let meaning: String

        /// An answer of one kind.
        package init(_ status: Int, _ kind: Content = .json, _ schema: Schema = .anything, _ meaning: String = "") {
            self.init(status, [(kind, schema)], meaning)
        }

        /// An answer of several kinds, one of which the request chooses.
        package init(_ status: Int, _ content: [(kind: Content, schema: Schema)], _ meaning: String = "") {
            (self.status, self.content, self.meaning) = (status, content, meaning)
        }
    }

    /// As the route writes it.
    package private(set) var path: String
    let group: Group
    let summary: String
    var parameters: [Parameter] = []
    var body = Body.none
    var answers: [Answer]
    /// Statuses of failures beyond those that every route, or every route with a body, may have.
    var failures: [Int] = []

    package init(
        _ path: String, _ group: Group, _ summary: String, parameters: [Parameter] = [], body: Body = .none,
        answers: [Answer] = [Answer(200)], failures: [Int] = []
    ) {
        (self.path, self.group, self.summary) = (path, group, summary)
        (self.parameters, self.body, self.answers, self.failures) = (parameters, body, answers, failures)
    }

    /// The same endpoint at another path.
    package func at(_ path: String) -> RouteDescription {
        var copy = self
        copy.path = path
        return copy
    }

    /// An endpoint that refuses everything.
    package static func refused(
        _ path: String, _ summary: String, body: Body = .none, status: Int = 400, schema: Schema = .named("Failure")
    ) -> RouteDescription {
        RouteDescription(path, .unavailable, summary, body: body, answers: [Answer(status, .json, schema)])
    }
}
