internal import APICore
internal import JSON
internal import Ledger

/// The body of /v1/messages, as the chat that it stands for.
struct MessagesRequest: Sendable {
    /// The same as a body of /v1/chat/completions.
    let chat: JSONObject
    /// Most tokens that the model may think; nil: as many as it likes.
    private(set) var thinkingTokens: Int?

    /// Reads a body.
    ///
    /// - Parameter countsOnly: only the prompt matters, so that there is no limit of tokens.
    init(_ body: RequestFields, countsOnly: Bool = false) throws(RequestFailure) {
        var chat: JSONObject = [:]
        chat["model"] = .string(try body.string("model") ?? "default")
        if !countsOnly {
            let limit = try body.required("max_tokens", body.int)
            guard limit > 0 else { throw .malformed("body.max_tokens: Value error, max_tokens must be positive") }
            chat["max_tokens"] = .int(Int64(limit))
        }
        var messages = try Self.system(body)
        guard let list = body["messages"] else { throw RequestReading().failure(at: "messages", .missing) }
        let cursor = RequestCursor(list, RequestReading(), path: "messages")
        let given = try cursor.elements()
        if given.isEmpty { throw .invalid("Messages cannot be empty.") }
        for message in given { messages += try MessageBlocks(message).messages }
        chat["messages"] = .array(messages)
        for name in ["temperature", "top_p", "top_k", "stream", "rid", "priority", "chat_template_kwargs"] {
            if let value = body[name] { chat[name] = value }
        }
        if let stops = body["stop_sequences"] { chat["stop"] = stops }
        try Self.tools(body, &chat)
        let budget = try Self.thinking(body, &chat)
        self.chat = chat
        thinkingTokens = budget
    }

    /// The system message that stands beside the others.
    private static func system(_ body: RequestFields) throws(RequestFailure) -> [JSONValue] {
        guard let system = body["system"] else { return [] }
        if let text = system.stringValue { return text.isEmpty ? [] : [["role": "system", "content": .string(text)]] }
        let cursor = RequestCursor(system, RequestReading(), path: "system")
        let texts = try cursor.list { block throws(RequestFailure) in try block.required("text").string() }
        return texts.isEmpty ? [] : [["role": "system", "content": .string(texts.joined(separator: "\n"))]]
    }

    private static func tools(_ body: RequestFields, _ chat: inout JSONObject) throws(RequestFailure) {
        if let list = body["tools"] {
            let cursor = RequestCursor(list, RequestReading(), path: "tools")
            let tools = try cursor.list { tool throws(RequestFailure) -> JSONValue in
                var function: JSONObject = ["name": .string(try tool.required("name").string())]
                if let text = try tool.member("description") { function["description"] = .string(try text.string()) }
                function["parameters"] = .object(try tool.required("input_schema").object())
                return ["type": "function", "function": .object(function)]
            }
            if !tools.isEmpty { chat["tools"] = .array(tools) }
        }
        guard let choice = try body.fields("tool_choice") else { return }
        switch try choice.required("type", choice.string) {
        case "auto": chat["tool_choice"] = "auto"
        case "any": chat["tool_choice"] = "required"
        case "none": chat["tool_choice"] = "none"
        case "tool":
            let name = try choice.required("name", choice.string)
            chat["tool_choice"] = ["type": "function", "function": ["name": .string(name)]]
        default: throw .malformed("body.tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
        }
        if try choice.bool("disable_parallel_tool_use") { chat["parallel_tool_calls"] = false }
    }

    /// Whether and how hard to think, and the form of the answer; gives the most tokens of thinking.
    private static func thinking(_ body: RequestFields, _ chat: inout JSONObject) throws(RequestFailure) -> Int? {
        var budget: Int?
        if let thinking = try body.fields("thinking") {
            var variables = chat["chat_template_kwargs"]?.objectValue ?? [:]
            switch try thinking.required("type", thinking.string) {
            case "enabled":
                budget = try thinking.int("budget_tokens")
                guard budget.map({ $0 >= 0 }) ?? true else {
                    throw .malformed("body.thinking.budget_tokens: Input should be greater than or equal to 0")
                }
                for name in ["thinking", "enable_thinking"] where variables[name] == nil { variables[name] = true }
            case "disabled":
                for name in ["thinking", "enable_thinking"] where variables[name] == nil { variables[name] = false }
            case "adaptive": break
            default: throw .malformed("body.thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'")
            }
            if variables.keys.count > 0 { chat["chat_template_kwargs"] = .object(variables) }
        }
        guard let output = try body.fields("output_config") else { return budget }
        if let effort = output["effort"] { chat["reasoning_effort"] = effort }
        guard let format = try output.fields("format") else { return budget }
        chat["response_format"] = [
            "type": "json_schema", "json_schema": ["name": "output", "schema": format["schema"] ?? .null],
        ]
        return budget
    }
}

/// One message of Anthropic's kind, as the messages of a chat that it stands for.
private struct MessageBlocks {
    /// Results of tools each are a message of their own.
    var messages: [JSONValue] = []
    private var parts: [JSONValue] = []
    private var calls: [JSONValue] = []
    private var thoughts: [String] = []

    init(_ message: RequestCursor) throws(RequestFailure) {
        let role = try message.required("role").string()
        guard ["user", "assistant", "system"].contains(role) else {
            throw message.child("role", .string(role)).failure("Input should be 'user', 'assistant' or 'system'")
        }
        let content = try message.required("content")
        if let text = content.value.stringValue {
            messages = [["role": .string(role), "content": .string(text)]]
            return
        }
        for block in try content.elements() { try read(block) }
        guard !parts.isEmpty || !calls.isEmpty || !thoughts.isEmpty || messages.isEmpty else { return }
        var rest: JSONObject = ["role": .string(role)]
        rest["content"] = parts.isEmpty ? (role == "assistant" ? .null : "") : .array(parts)
        if !thoughts.isEmpty { rest["reasoning_content"] = .string(thoughts.joined(separator: "\n")) }
        if !calls.isEmpty { rest["tool_calls"] = .array(calls) }
        messages.append(.object(rest))
    }

    private mutating func read(_ block: RequestCursor) throws(RequestFailure) {
        switch try block.required("type").string() {
        case "text": parts.append(["type": "text", "text": .string(try block.required("text").string())])
        case "thinking": thoughts.append(try block.required("thinking").string())
        case "redacted_thinking": break
        case "tool_use":
            let input = try block.required("input")
            calls.append([
                "id": .string(try block.required("id").string()), "type": "function",
                "function": [
                    "name": .string(try block.required("name").string()),
                    "arguments": .string(JSON.encodeToString(.object(try input.object()))),
                ],
            ])
        case "tool_result":
            messages.append([
                "role": "tool", "tool_call_id": .string(try block.required("tool_use_id").string()),
                "content": try Self.result(block),
            ])
        case let type:
            throw .invalid("Model only supports text input; received unsupported content type '\(type)'.")
        }
    }

    /// What a tool gave: a text, or parts.
    private static func result(_ block: RequestCursor) throws(RequestFailure) -> JSONValue {
        guard let content = try block.member("content") else { return "" }
        if content.value.stringValue != nil { return content.value }
        return .array(
            try content.list { part throws(RequestFailure) in
                let type = try part.required("type").string()
                guard type == "text" else {
                    throw .invalid("Model only supports text input; received unsupported content type '\(type)'.")
                }
                return ["type": "text", "text": .string(try part.required("text").string())]
            })
    }
}
