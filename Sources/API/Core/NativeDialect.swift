internal import JSON
package import Ledger
package import Messages

/// SGLang's own interface, which paths that belong to no interface speak too.
package struct NativeDialect: Dialect {
    package init() {}

    package func body(of failure: RequestFailure) -> FailureBody {
        switch failure {
        case .malformed: .json(Self.condition(failure, type: "Bad Request", code: 400))
        case .offSchema, .unauthorized: .json(JSON.encode(["error": .string(failure.message)]))
        case .invalid, .mismatched, .refused, .neverFits, .bodyTooLarge, .notBuilt:
            .json(JSON.encode(["error": ["message": .string(failure.message)]]))
        case .unknownPath, .wrongMethod, .unknownResponse: .json(JSON.encode(["detail": .string(failure.message)]))
        case .unknownModel:
            .json(
                JSON.encode([
                    "error": [
                        "message": .string(failure.message), "type": "invalid_request_error", "param": "model",
                        "code": "model_not_found",
                    ]
                ]))
        case .unexpected: .text(failure.message)
        case .poisonous, .stuck:
            .json(Self.condition(failure, type: "InternalServerError", code: status(of: failure)))
        case .stage(let refusal) where refusal.status == 400:
            .json(JSON.encode(["error": ["message": .string(refusal.message)]]))
        case .stage(let refusal) where !refusal.errorType.isEmpty:
            .json(Self.condition(failure, type: refusal.errorType, code: refusal.status))
        case .stage, .unknownCoding, .queueFull, .bodiesFull, .draining, .notReady, .givenUp, .noAnswer, .waitedTooLong,
            .ranTooLong:
            .json(Self.condition(failure, type: "\(status(of: failure))", code: status(of: failure)))
        }
    }

    /// The flat object of an HTTP condition.
    private static func condition(_ failure: RequestFailure, type: String, code: Int) -> [UInt8] {
        JSON.encode([
            "object": "error", "message": .string(failure.message), "type": .string(type), "param": .null,
            "code": .int(Int64(code)),
        ])
    }

    package func frame(of failure: RequestFailure) -> [UInt8] {
        let status = status(of: failure)
        return JSON.encode([
            "error": [
                "message": .string(failure.message),
                "type": status < 500 ? "invalid_request_error" : "internal_server_error",
                "code": .int(Int64(status)), "retryable": .bool(status == 503),
            ]
        ])
    }

    /// A client that asked for a stream still gets a status: only so the reference tells errors of its two schemas.
    package func hasStatusInStreams(_ failure: RequestFailure) -> Bool {
        switch failure {
        case .malformed, .offSchema: true
        default: false
        }
    }

    /// The finish reason under which a stream tells what the reference's scheduler refuses; nil for other failures.
    package func finishReason(of failure: RequestFailure) -> FinishReason? {
        let type: String
        switch failure {
        case .refused: type = "BadRequestError"
        case .stage(let refusal) where refusal.isWorkers: type = refusal.errorType
        case .queueFull, .waitedTooLong, .ranTooLong: type = ""
        default: return nil
        }
        return .make {
            $0.aborted = .make {
                $0.message = failure.message
                $0.statusCode = Int32(status(of: failure))
                $0.errorType = type
            }
        }
    }
}
