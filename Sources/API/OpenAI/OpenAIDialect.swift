package import APICore
internal import JSON
package import Ledger

/// OpenAI's interface as SGLang has it: one flat object for every failure.
package struct OpenAIDialect: Dialect {
    package init() {}

    package func body(of failure: RequestFailure) -> FailureBody {
        if case .unauthorized = failure { return .json(JSON.encode(["error": .string(failure.message)])) }
        return .json(JSON.encode(.object(object(failure, type: type(of: failure)))))
    }

    package func frame(of failure: RequestFailure) -> [UInt8] {
        JSON.encode(["error": .object(object(failure, type: Self.statusName(of: failure) ?? type(of: failure)))])
    }

    /// What the worker refuses in the middle of a stream is told by the name of its status.
    private static func statusName(of failure: RequestFailure) -> String? {
        guard case .stage(let refusal) = failure, refusal.isWorkers else { return nil }
        return switch refusal.status {
        case 400: "BAD_REQUEST"
        case 404: "NOT_FOUND"
        case 408: "REQUEST_TIMEOUT"
        case 429: "TOO_MANY_REQUESTS"
        case 500: "INTERNAL_SERVER_ERROR"
        case 503: "SERVICE_UNAVAILABLE"
        case 504: "GATEWAY_TIMEOUT"
        default: nil
        }
    }

    private func object(_ failure: RequestFailure, type: String) -> JSONObject {
        [
            "object": "error", "message": .string(failure.message), "type": .string(type), "param": .null,
            "code": .int(Int64(status(of: failure))),
        ]
    }

    private func type(of failure: RequestFailure) -> String {
        switch failure {
        case .malformed: "Bad Request"
        case .mismatched: "BadRequest"
        case .offSchema, .invalid, .refused, .neverFits: "BadRequestError"
        case .notBuilt: "NotImplementedError"
        case .poisonous, .stuck, .unexpected: "InternalServerError"
        case .stage(let refusal) where refusal.status == 400: "BadRequestError"
        case .stage(let refusal) where !refusal.errorType.isEmpty: refusal.errorType
        case .unauthorized, .unknownPath, .wrongMethod, .unknownModel, .unknownResponse, .bodyTooLarge,
            .unknownCoding, .queueFull, .bodiesFull, .draining, .notReady, .givenUp, .noAnswer, .waitedTooLong,
            .ranTooLong, .stage:
            "\(status(of: failure))"
        }
    }
}
