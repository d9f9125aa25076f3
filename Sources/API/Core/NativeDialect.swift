internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Messages
internal import NIOCore

/// The only map from a failure to what the client sees: status, headers and body, or the frame of a stream.
enum FailureResponse {
    /// The response for a failure that is known before anything was sent.
    static func make(_ failure: RequestFailure) -> Response {
        var headers = HTTPFields()
        if let seconds = failure.retryAfter { headers[.retryAfter] = String(seconds) }
        let isText = failure.shape == .text
        headers[.contentType] = isText ? "text/plain; charset=utf-8" : "application/json"
        return Response(
            status: .init(code: failure.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: body(failure))))
    }

    /// The body of the response.
    static func body(_ failure: RequestFailure) -> [UInt8] {
        switch failure.shape {
        case .schema: JSON.encode(.object(openAI(failure, type: "Bad Request")))
        case .contract: JSON.encode(["error": .string(failure.message)])
        case .semantic: JSON.encode(["error": ["message": .string(failure.message)]])
        case .condition:
            JSON.encode(
                .object(openAI(failure, type: failure.errorType.isEmpty ? "\(failure.status)" : failure.errorType)))
        case .detail: JSON.encode(["detail": .string(failure.message)])
        case .text, .json: Array(failure.message.utf8)
        }
    }

    private static func openAI(_ failure: RequestFailure, type: String) -> JSONObject {
        [
            "object": "error", "message": .string(failure.message), "type": .string(type), "param": .null,
            "code": .int(Int64(failure.status)),
        ]
    }

    /// The JSON of a frame that ends a stream with an error.
    static func frame(_ failure: RequestFailure) -> [UInt8] {
        JSON.encode([
            "error": [
                "message": .string(failure.message),
                "type": failure.status < 500 ? "invalid_request_error" : "internal_server_error",
                "code": .int(Int64(failure.status)), "retryable": .bool(failure.status == 503),
            ]
        ])
    }

    /// The finish reason that a stream shows when the worker refused the request.
    static func finishReason(_ failure: RequestFailure) -> FinishReason {
        .make {
            $0.aborted = .make {
                $0.message = failure.message
                $0.statusCode = Int32(failure.status)
                $0.errorType = failure.errorType
            }
        }
    }

    /// The failure that a finish reason stands for, when the client should see a status instead of an answer.
    static func failure(of finish: FinishReason) -> RequestFailure? {
        guard case .aborted(let aborted)? = finish.reason, aborted.statusCode != 0 else { return nil }
        var failure = RequestFailure(
            status: Int(aborted.statusCode), message: aborted.message,
            shape: aborted.statusCode == 400 ? .semantic : .condition,
            fromWorker: true, errorType: aborted.errorType)
        // The body of an HTTP condition names the status; the class is for finish reasons.
        if failure.status == 503 { (failure.errorType, failure.retryAfter) = ("", 1) }
        return failure
    }
}
