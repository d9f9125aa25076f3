package import JSON
package import Messages

/// How an answer ended, in OpenAI's words.
package struct FinishWords: Sendable, Equatable {
    /// `stop`, `length`, `abort` or `tool_calls`.
    package var reason: String
    /// What matched: an id, a text, or null.
    package var matched: JSONValue = .null

    /// The words for a reason; nil while the answer goes on.
    package init?(_ finish: FinishReason?) {
        switch finish?.reason {
        case nil: return nil
        case .stopToken(let id)?, .grammarEnd(let id)?: (reason, matched) = ("stop", .int(Int64(id)))
        case .stopString(let text)?, .stopRegex(let text)?: (reason, matched) = ("stop", .string(text))
        case .nan?: (reason, matched) = ("stop", "NaN happened")
        case .length?: reason = "length"
        case .aborted?: reason = "abort"
        }
    }
}
