package import APICore
internal import JSON
package import Ledger

/// OpenAI's newer interface: failures nest, with a number as code.
package struct ResponsesDialect: Dialect {
    /// The field that is to blame, where one is.
    private let parameter: String?

    package init(blaming parameter: String? = nil) { self.parameter = parameter }

    package func body(of failure: RequestFailure) -> FailureBody {
        if case .unauthorized = failure { return .json(JSON.encode(["error": .string(failure.message)])) }
        return .json(JSON.encode(["error": error(failure)]))
    }

    package func frame(of failure: RequestFailure) -> [UInt8] { JSON.encode(["error": error(failure)]) }

    /// The object that tells of a failure.
    func error(_ failure: RequestFailure) -> JSONValue {
        let status = status(of: failure)
        return [
            "message": .string(failure.message),
            "type": status < 500 ? "invalid_request_error" : "server_error",
            "param": (parameter ?? Self.field(failure.message)).map { .string($0) } ?? .null,
            "code": .int(Int64(status)),
        ]
    }

    /// The field that a message names.
    private static func field(_ message: String) -> String? {
        if message.hasPrefix("The model '") { return "model" }
        if message == ResponsesRequest.noStore { return "previous_response_id" }
        guard message.hasPrefix("body."), let colon = message.firstIndex(of: ":") else { return nil }
        return String(message[..<colon].dropFirst("body.".count))
    }
}
