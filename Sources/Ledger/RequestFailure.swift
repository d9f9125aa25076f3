package import Messages

/// Why a request is not answered as asked: what went wrong, with its facts. How a client is told is its dialect's matter.
package enum RequestFailure: Error, Sendable, Equatable {
    // What the client sent.

    /// The body is no JSON object, or a field has the wrong type; the text names it.
    case malformed(String)
    /// A field of /generate breaks the strict schema; in the words of the reference's schema library.
    case offSchema(String)
    /// The values make no sense.
    case invalid(String)
    /// Parts of the request do not go together.
    case mismatched(String)
    /// What the reference's scheduler refuses.
    case refused(String)
    /// More answers in one request than the server ever holds at one time.
    case neverFits(rows: Int, limit: Int)
    /// A body beyond the limit in bytes.
    case bodyTooLarge(limit: Int)
    /// A body in a coding that nobody here reads.
    case unknownCoding(String)
    /// No key, or a wrong one.
    case unauthorized
    /// Nobody serves this path.
    case unknownPath
    /// The path is served, but not so.
    case wrongMethod(allowed: String)
    /// No model has this name.
    case unknownModel(String)
    /// No response with this name is kept.
    case unknownResponse(String)

    // What the server cannot do now, or ever.

    /// The feature is known but not built.
    case notBuilt(String)
    /// The server has as many requests as it may have.
    case queueFull
    /// Too many bytes of request bodies are in work.
    case bodiesFull
    /// The server is going down.
    case draining
    /// A process was missing for too long.
    case notReady
    /// A process fails again and again and is not started any more; why.
    case givenUp(String)
    /// A stage did not answer in time.
    case noAnswer
    /// The request got no token within the time it has.
    case waitedTooLong
    /// The request did not end within the time it has.
    case ranTooLong
    /// The request was running in several crashes of the worker.
    case poisonous
    /// The request was submitted again and again without progress.
    case stuck
    /// A fault of this server's own.
    case unexpected
    /// What another process says.
    case stage(StageRefusal)
}

/// The refusal of a stage behind the front.
package struct StageRefusal: Sendable, Equatable {
    /// As HTTP counts them.
    package var status: Int
    package var message: String
    /// The name of the error's class; may be empty.
    package var errorType = ""
    /// The worker refused, rather than a stage before it.
    package var isWorkers = false

    package init(_ failure: Failure) {
        status = failure.statusCode == 0 ? 400 : Int(failure.statusCode)
        message = failure.message
        errorType = failure.errorType
        isWorkers = failure.fromWorker
    }

    /// What a finish reason stands for, when the client should see a status instead of an answer.
    init?(_ finish: FinishReason) {
        guard case .aborted(let aborted)? = finish.reason, aborted.statusCode != 0 else { return nil }
        (status, message, isWorkers) = (Int(aborted.statusCode), aborted.message, true)
        // A server that is busy is a condition of HTTP; the class is for finish reasons.
        errorType = status == 503 ? "" : aborted.errorType
    }
}

extension RequestFailure {
    /// The failure in words.
    package var message: String {
        switch self {
        case .malformed(let text), .offSchema(let text), .invalid(let text), .mismatched(let text), .refused(let text),
            .notBuilt(let text):
            text
        case .neverFits(let rows, let limit):
            "The request asks for \(rows) answers (prompts times n); this server takes at most \(limit) at one time."
        case .bodyTooLarge(let limit): "The request body is larger than \(limit) bytes (--max-body-size)."
        case .unknownCoding(let coding): "Content-Encoding '\(coding)' is not supported; send the body as it is."
        case .unauthorized: "Unauthorized"
        case .unknownPath: "Not Found"
        case .wrongMethod: "Method Not Allowed"
        case .unknownModel(let name): "The model '\(name)' does not exist"
        case .unknownResponse(let name): "Response with id '\(name)' not found."
        case .queueFull: "The request queue is full."
        case .bodiesFull: "The server holds as many bytes of requests as it may (--max-body-memory)."
        case .draining: "The server is shutting down."
        case .notReady: "The server is not ready to take requests."
        case .givenUp(let reason): "The server cannot answer: \(reason)."
        case .noAnswer: "The model worker did not answer in time."
        case .waitedTooLong: "Request waiting timeout reached."
        case .ranTooLong: "Request running timeout reached."
        case .poisonous: "The request was given up: the model worker died twice while it was running."
        case .stuck: "The request was given up: it was restarted several times without any progress."
        case .unexpected: "Internal Server Error"
        case .stage(let refusal): refusal.message
        }
    }

    /// How the request was lost, when a process is to blame.
    var loss: RequestMetrics.Loss? {
        switch self {
        case .givenUp: .givenUp
        case .notReady: .notReady
        case .poisonous: .poisonous
        case .stuck: .stuck
        default: nil
        }
    }
}

extension RequestFailure {
    /// The model makes text, and somebody wants a vector of it.
    package static let noEmbeddingModel = RequestFailure.invalid(KindMismatch.noEmbedder)

    /// The model makes vectors or scores, and somebody wants text of it.
    package static let noGeneratingModel = RequestFailure.invalid(KindMismatch.noGenerator)
}
