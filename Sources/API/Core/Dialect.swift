internal import HTTPTypes
package import Hummingbird
package import Ledger
internal import NIOCore

/// How an interface tells its clients of failures: the only map from what went wrong to status, headers, body and frame.
///
/// An interface with bodies of its own is a type of its own; what statuses and headers most share has its place below.
package protocol Dialect: Sendable {
    /// The status of the response.
    func status(of failure: RequestFailure) -> Int

    /// The body of the response.
    func body(of failure: RequestFailure) -> FailureBody

    /// The JSON of the frame that ends a stream.
    func frame(of failure: RequestFailure) -> [UInt8]
}

/// What the body of a response to a failure holds.
package enum FailureBody: Sendable, Equatable {
    case json([UInt8])
    case text(String)
}

extension Dialect {
    package func status(of failure: RequestFailure) -> Int { failure.usualStatus }

    /// The response for a failure that is known before anything was sent.
    package func response(to failure: RequestFailure) -> Response {
        var headers = HTTPFields()
        if let seconds = failure.retryAfter { headers[.retryAfter] = String(seconds) }
        if case .wrongMethod(let allowed) = failure { headers[.allow] = allowed }
        // What is left of such a body is not worth the wait.
        if case .bodyTooLarge = failure { headers[.connection] = "close" }
        let bytes: ByteBuffer
        switch body(of: failure) {
        case .json(let json):
            headers[.contentType] = "application/json"
            bytes = ByteBuffer(bytes: json)
        case .text(let text):
            headers[.contentType] = "text/plain; charset=utf-8"
            bytes = ByteBuffer(string: text)
        }
        return Response(status: .init(code: status(of: failure)), headers: headers, body: .init(byteBuffer: bytes))
    }
}

extension RequestFailure {
    /// The status that all dialects agree on unless they say otherwise.
    package var usualStatus: Int {
        switch self {
        case .malformed, .offSchema, .invalid, .mismatched, .refused, .neverFits: 400
        case .unauthorized: 401
        case .unknownPath, .unknownModel, .unknownResponse: 404
        case .wrongMethod: 405
        case .bodyTooLarge: 413
        case .unknownCoding: 415
        case .poisonous, .stuck, .unexpected: 500
        case .notBuilt: 501
        case .queueFull, .bodiesFull, .draining, .notReady, .givenUp, .waitedTooLong, .ranTooLong: 503
        case .noAnswer: 504
        case .stage(let refusal): refusal.status
        }
    }

    /// Seconds after which the client may try again.
    package var retryAfter: Int? {
        switch self {
        case .queueFull, .bodiesFull, .waitedTooLong: 1
        case .draining, .notReady: 5
        case .givenUp: 30
        case .stage(let refusal): refusal.status == 503 ? 1 : nil
        default: nil
        }
    }
}
