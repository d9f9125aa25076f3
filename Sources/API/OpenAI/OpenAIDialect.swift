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
        JSON.encode(["error": .object(object(failure, type: type(of: failure)))])
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
        case .offSchema, .invalid, .refused, .neverFits: "BadRequestError"
        case .notBuilt: "NotImplementedError"
        case .poisonous, .stuck, .unexpected: "InternalServerError"
        case .stage(let refusal) where refusal.status == 400: "BadRequestError"
        case .stage(let refusal) where !refusal.errorType.isEmpty: refusal.errorType
        case .unauthorized, .unknownPath, .wrongMethod, .unknownModel, .bodyTooLarge, .unknownCoding, .queueFull,
            .bodiesFull, .draining, .notReady, .givenUp, .noAnswer, .waitedTooLong, .ranTooLong, .stage:
            "\(status(of: failure))"
        }
    }
}
