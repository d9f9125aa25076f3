internal import Messages

/// Why a request is not answered as asked; `FailureResponse` turns it into status and body.
package struct RequestFailure: Error, Sendable, Equatable {
    /// Which of SGLang's error bodies the client expects.
    package enum Shape: Sendable, Equatable {
        /// The body's types are wrong: `{"object":"error",…,"type":"Bad Request"}`.
        case schema
        /// A field of /generate breaks the strict schema: `{"error":"…"}`.
        case contract
        /// The values make no sense: `{"error":{"message":"…"}}`.
        case semantic
        /// An HTTP condition: `{"object":"error",…,"type":"<status>"}`.
        case condition
        /// `{"detail":"…"}`.
        case detail
        /// Plain text.
        case text
        /// The body is this JSON text.
        case json
    }

    package var status: Int
    package var message: String
    package var shape: Shape
    /// The worker refused: a stream then ends with a frame of finish type abort.
    var fromWorker = false
    var errorType = ""
    /// Seconds after which a client may try again.
    var retryAfter: Int?
    /// How the request was lost, when a process is to blame.
    var loss: RequestMetrics.Loss?

    /// The request's values make no sense (400).
    package static func semantic(_ message: String) -> RequestFailure {
        RequestFailure(status: 400, message: message, shape: .semantic)
    }
    /// A field of /generate breaks the strict schema (400).
    static func contract(_ message: String) -> RequestFailure {
        RequestFailure(status: 400, message: message, shape: .contract)
    }
    /// The body's types are wrong (400).
    static func schema(_ message: String) -> RequestFailure {
        RequestFailure(status: 400, message: message, shape: .schema)
    }
    /// The feature is known but not built (501).
    static func missing(_ message: String) -> RequestFailure {
        RequestFailure(status: 501, message: message, shape: .semantic)
    }

    /// The server has as many requests as it may have (503).
    package static let queueFull = RequestFailure(
        status: 503, message: "The request queue is full.", shape: .condition, fromWorker: true, retryAfter: 1)
    /// The server is going down (503).
    static let draining = RequestFailure(
        status: 503, message: "The server is shutting down.", shape: .condition, retryAfter: 5)
    /// A process fails again and again and is not started any more (503).
    package static func givenUp(_ reason: String) -> RequestFailure {
        RequestFailure(
            status: 503, message: "The server cannot answer: \(reason).", shape: .condition, retryAfter: 30,
            loss: .givenUp)
    }
    /// A process was missing for too long (503).
    package static let notReady = RequestFailure(
        status: 503, message: "The server is not ready to take requests.", shape: .condition, retryAfter: 5,
        loss: .notReady)
    /// The request was running in several crashes of the worker (500).
    package static let poisonous = RequestFailure(
        status: 500, message: "The request was given up: the model worker died twice while it was running.",
        shape: .condition, errorType: "InternalServerError", loss: .poisonous)
    /// The request was submitted again and again without progress (500).
    static let stuck = RequestFailure(
        status: 500, message: "The request was given up: it was restarted several times without any progress.",
        shape: .condition, errorType: "InternalServerError", loss: .stuck)
    /// The request got no token within the time it has (503).
    static let waitedTooLong = RequestFailure(
        status: 503, message: "Request waiting timeout reached.", shape: .condition, fromWorker: true, retryAfter: 1)
    /// The request did not end within the time it has (503).
    static let ranTooLong = RequestFailure(
        status: 503, message: "Request running timeout reached.", shape: .condition, fromWorker: true)
    /// Too many bytes of request bodies are in work (503).
    static let bodiesFull = RequestFailure(
        status: 503, message: "The server holds as many bytes of requests as it may (--max-body-memory).",
        shape: .condition, retryAfter: 1)
    /// A stage did not answer in time (504).
    static let noAnswer = RequestFailure(
        status: 504, message: "The model worker did not answer in time.", shape: .condition)

    /// What another process says.
    init(_ failure: Failure) {
        status = failure.statusCode == 0 ? 400 : Int(failure.statusCode)
        message = failure.message
        shape = status == 400 ? .semantic : .condition
        fromWorker = failure.fromWorker
        errorType = failure.errorType
        if status == 503 { retryAfter = 1 }
    }

    init(
        status: Int, message: String, shape: Shape, fromWorker: Bool = false, errorType: String = "",
        retryAfter: Int? = nil, loss: RequestMetrics.Loss? = nil
    ) {
        self.status = status
        self.message = message
        self.shape = shape
        self.fromWorker = fromWorker
        self.errorType = errorType
        self.retryAfter = retryAfter
        self.loss = loss
    }
}
