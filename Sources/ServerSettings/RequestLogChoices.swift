/// What is written about single requests (`--log-requests…`), and where.
package struct RequestLogChoices: Sendable, Codable, Equatable {
    /// How lines look (`--log-requests-format`).
    package enum Format: String, Sendable, Codable, CaseIterable {
        /// A Python expression.
        case text
        /// One JSON object.
        case json
    }

    /// Requests are logged at all (`--log-requests`).
    package var isOn = false
    /// How much of them (`--log-requests-level`): 0 neither texts nor sampling parameters, 1 these too, 2 all but the middle of
    /// long values, 3 everything.
    package var level = 2
    package var format = Format.text
    /// `stdout` and folders (`--log-requests-target`); nil: `stdout`, which here is the server's own log.
    package var targets: [String]?
    /// Headers that are told where a request has them, in lower case; SGLANG_LOG_REQUEST_HEADERS adds some.
    package var headers = ["x-smg-routing-key"]

    /// No request is logged.
    package init() {}

    /// The levels there are.
    package static let levels = 0...3
}
