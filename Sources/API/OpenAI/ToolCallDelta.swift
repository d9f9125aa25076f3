internal import ChatAPI
internal import JSON

/// A call of a tool, or a piece of one, as chats tell it.
struct ToolCallDelta: Sendable {
    let index: Int
    /// Nil, as the name, in all pieces but the first.
    var id: String?
    var name: String?
    let arguments: String

    /// Writes the object.
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", id.map { .string($0) } ?? .null)
        json.member("index", index)
        json.member("type", "function")
        json.key("function")
        json.beginObject()
        json.member("name", name.map { .string($0) } ?? .null)
        json.member("arguments", arguments)
        json.endObject()
        json.endObject()
    }

    /// Writes the members of a delta that holds this alone.
    func writeDelta(to json: inout JSONWriter) {
        json.member("role", .null)
        json.member("content", .null)
        json.member("reasoning_content", .null)
        json.key("tool_calls")
        json.beginArray()
        write(to: &json)
        json.endArray()
    }
}

extension AnswerPiece {
    /// The delta of this piece writes the member for thoughts itself.
    var namesReasoning: Bool {
        switch self {
        case .content: false
        case .reasoning, .call, .arguments: true
        }
    }

    /// The piece is one of a call.
    var isOfCall: Bool {
        switch self {
        case .content, .reasoning: false
        case .call, .arguments: true
        }
    }
}
