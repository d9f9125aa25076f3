/// A piece of an answer in which tools may be called.
package enum ToolCallEvent: Sendable, Equatable {
    /// Text for the client.
    case content(String)
    /// A call begins, the first with index 0; its name is whole.
    case call(index: Int, name: String)
    /// A piece of the JSON of a call's arguments. All pieces of a call, joined, are one JSON object.
    case arguments(index: Int, String)
}

/// One call of a whole answer.
package struct ToolCall: Sendable, Equatable {
    package let name: String
    /// The arguments as JSON, printed as Python does.
    package var arguments: String
    /// What `/parse_function_call` shows: the tool's place in the request, or the call's among the calls, as the format has it.
    package let toolIndex: Int

    package init(name: String, arguments: String, toolIndex: Int) {
        self.name = name
        self.arguments = arguments
        self.toolIndex = toolIndex
    }
}

/// A whole answer, told apart.
package struct ToolCallAnswer: Sendable, Equatable {
    /// Text for the client.
    package var content: String
    /// The calls in order.
    package var calls: [ToolCall]

    package init(content: String, calls: [ToolCall] = []) {
        self.content = content
        self.calls = calls
    }
}
