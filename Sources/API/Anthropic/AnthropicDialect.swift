package import APICore
internal import JSON
package import Ledger

/// Anthropic's interface: an object with the kind of failure by name.
package struct AnthropicDialect: Dialect {
    package init() {}

    package func body(of failure: RequestFailure) -> FailureBody { .json(frame(of: failure)) }

    package func frame(of failure: RequestFailure) -> [UInt8] {
        let status = status(of: failure)
        let message = status >= 500 ? "Internal server error" : Self.words(failure.message)
        return JSON.encode(["type": "error", "error": ["type": .string(type(status)), "message": .string(message)]])
    }

    /// A complaint about a field as this interface writes it: `messages.0.role: …`.
    private static func words(_ message: String) -> String {
        guard message.hasPrefix("body."), let colon = message.firstIndex(of: ":") else { return message }
        let path = message[..<colon].dropFirst("body.".count)
        return String(path.replacing("[", with: ".").replacing("]", with: "") + message[colon...])
    }

    private func type(_ status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 408: "request_timeout_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 503: "overloaded_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}
