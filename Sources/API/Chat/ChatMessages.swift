package import APICore
package import JSON
package import Ledger

/// The messages of a chat request, checked as far as no template is needed.
package struct ChatMessages: Sendable {
    /// The messages as they came.
    package let values: [JSONValue]

    package var isEmpty: Bool { values.isEmpty }

    /// The text of a last message that is the assistant's.
    var opening: String {
        guard let last = values.last, last["role"]?.stringValue?.lowercased() == "assistant" else { return "" }
        return last["content"]?.stringValue ?? ""
    }

    /// Tool calls in all messages.
    var callCount: Int { values.reduce(0) { $0 + ($1["tool_calls"]?.arrayValue?.count ?? 0) } }

    private static let otherRoles = ["system", "assistant", "tool", "function", "developer", "latest_reminder", "root"]

    /// Reads the field `messages` of a body.
    ///
    /// - Throws: `.malformed` for messages that are none, naming the place; `.mismatched` for the arguments of a tool call that
    ///   are no JSON object.
    package init(_ body: RequestFields) throws(RequestFailure) {
        guard let list = body["messages"] else { throw RequestReading().failure(at: "messages", .missing) }
        let cursor = RequestCursor(list, RequestReading(), path: "messages")
        values = try cursor.list { message throws(RequestFailure) in
            try Self.check(message)
            return message.value
        }
    }

    private static func check(_ message: RequestCursor) throws(RequestFailure) {
        guard case .object(let members) = message.value else {
            throw message.wrongKind(.other("a valid dictionary or object to extract fields from"))
        }
        let role = try message.required("role").string()
        let isUser = role == "user"
        guard isUser || otherRoles.contains(role.lowercased()) else {
            let words = otherRoles.map { "'\($0)'" }.joined(separator: ", ")
            throw message.child("role", .string(role)).failure(
                "Value error, 'role' must be 'user' or one of \(words) (case-insensitive).")
        }
        try check(content: message.child("content", members["content"] ?? .null), mayBeMissing: !isUser)
        guard role.lowercased() == "assistant", let calls = try message.member("tool_calls") else { return }
        for call in try calls.elements() { try check(call: call) }
    }

    private static func check(content: RequestCursor, mayBeMissing: Bool) throws(RequestFailure) {
        switch content.value {
        case .string: break
        case .null:
            guard mayBeMissing else { throw content.wrongKind(.string) }
        case .array:
            for part in try content.elements() {
                guard part.value.stringValue == nil else { continue }
                let type = try part.required("type").string()
                if type == "text" { _ = try part.required("text").string() }
            }
        default: throw content.wrongKind(.other("a valid string or a list of parts"))
        }
    }

    private static func check(call: RequestCursor) throws(RequestFailure) {
        let function = try call.required("function")
        _ = try function.member("name")?.string()
        guard let arguments = try function.member("arguments") else { return }
        if case .object = arguments.value { return }
        guard let parsed = try? JSON.parse(arguments.string()) else {
            throw .mismatched("Assistant tool call function.arguments must be valid JSON.")
        }
        guard parsed.objectValue != nil else {
            throw .mismatched("Assistant tool call function.arguments must be a JSON object.")
        }
    }
}
