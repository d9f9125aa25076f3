internal import APICore
internal import JSON
internal import Ledger

/// The body of POST /v1/responses, as the chat that it stands for.
struct ResponsesRequest: Sendable {
    /// The same as a body of /v1/chat/completions.
    private(set) var chat: JSONObject = [:]
    /// Members that the answer repeats.
    private(set) var repeated: JSONObject = [:]
    /// What a later response goes on from, but for the answer: all messages but the instructions.
    let conversation: [JSONValue]
    /// The response is kept, where the server keeps any.
    let isStored: Bool
    /// No client waits for it.
    let isInBackground: Bool

    /// Tokens that the reference takes off a limit.
    private static let headroom = 2

    /// Reads a body.
    ///
    /// - Parameters:
    ///   - temperature: what holds where the request names none.
    ///   - earlier: the conversation that it goes on from; nil for none.
    ///   - canStore: the server keeps responses.
    init(
        _ body: RequestFields, temperature: Double, earlier: [JSONValue]?, canStore: Bool
    ) throws(RequestFailure) {
        isStored = try body.bool("store", or: true)
        let background = try body.bool("background")
        try Self.check(body, isStored: isStored, isInBackground: background, canStore: canStore)
        // A client that wants to see the answer grow waits for it.
        let isStreamed = try body.bool("stream")
        isInBackground = background && !isStreamed
        chat["model"] = .string(try body.string("model") ?? "default")
        conversation = (earlier ?? []) + (try Self.input(body))
        chat["messages"] = .array(try Self.instructions(body) + conversation)
        let limit = try body.int("max_output_tokens")
        if let limit { chat["max_tokens"] = .int(Int64(max(0, limit - Self.headroom))) }
        chat["temperature"] = .double(try body.double("temperature") ?? temperature)
        for name in [
            "top_p", "stream", "stop", "top_k", "min_p", "repetition_penalty", "frequency_penalty", "presence_penalty",
            "chat_template_kwargs", "extra_key", "cache_salt", "priority", "rid", "seed", "ignore_eos",
        ] { if let value = body[name] { chat[name] = value } }
        let effort = try body.fields("reasoning")?["effort"]
        if let effort { chat["reasoning_effort"] = effort }
        let tools = try tools(body)
        let choice = try choice(body)
        let isParallel = try body.bool("parallel_tool_calls", or: true)
        if !isParallel { chat["parallel_tool_calls"] = false }
        try form(body)
        repeated = [
            "parallel_tool_calls": .bool(isParallel), "tool_choice": choice, "tools": .array(tools), "error": .null,
            "incomplete_details": .null, "instructions": body["instructions"] ?? .null,
            "max_output_tokens": limit.map { .int(Int64($0)) } ?? .null,
            "previous_response_id": body["previous_response_id"] ?? .null,
            "reasoning": ["effort": effort ?? .null, "summary": .null],
            "store": .bool(isStored), "temperature": chat["temperature"] ?? .null,
            "top_p": try body.double("top_p").map { .double($0) } ?? .null,
            "truncation": .string(try body.string("truncation") ?? "disabled"), "user": body["user"] ?? .null,
            "metadata": body["metadata"] ?? [:], "text": body["text"] ?? .null,
        ]
        if background { repeated["background"] = true }
        guard isInBackground else { return }
        // Whoever begins it anew has to get the same words.
        if chat["seed"] == nil { chat["seed"] = .int(Int64.random(in: 0...Int64(Int32.max))) }
        if chat["rid"] == nil { chat["rid"] = .string(RequestNames.fresh()) }
    }

    /// What a server without a store says of everything that needs one.
    static let noStore =
        "Response store is disabled. Stateful Responses require --enable-response-store on a standalone server; response "
        + "storage is unavailable in PD mode."

    private static func check(
        _ body: RequestFields, isStored: Bool, isInBackground: Bool, canStore: Bool
    ) throws(RequestFailure) {
        if !canStore, isInBackground || body["previous_response_id"] != nil { throw .invalid(noStore) }
        guard isInBackground else { return }
        if !isStored { throw .invalid("background=true requires store=true: nobody else could get the answer.") }
    }

    // MARK: Messages

    private static func instructions(_ body: RequestFields) throws(RequestFailure) -> [JSONValue] {
        guard let text = try body.string("instructions"), !text.isEmpty else { return [] }
        return [["role": "system", "content": .string(text)]]
    }

    private static func input(_ body: RequestFields) throws(RequestFailure) -> [JSONValue] {
        var messages: [JSONValue] = []
        guard let input = body["input"] else { throw RequestReading().failure(at: "input", .missing) }
        if let text = input.stringValue { return [["role": "user", "content": .string(text)]] }
        let cursor = RequestCursor(input, RequestReading(), path: "input")
        for item in try cursor.elements() { try append(item, to: &messages) }
        return messages
    }

    private static func append(_ item: RequestCursor, to messages: inout [JSONValue]) throws(RequestFailure) {
        switch try item.member("type")?.string() ?? "message" {
        case "message":
            messages.append([
                "role": .string(try item.required("role").string()),
                "content": try content(item.required("content")),
            ])
        case "function_call":
            let call: JSONValue = [
                "id": try item.member("call_id")?.value ?? "", "type": "function",
                "function": [
                    "name": .string(try item.required("name").string()),
                    "arguments": .string(try item.required("arguments").string()),
                ],
            ]
            messages.append(["role": "assistant", "content": .null, "tool_calls": [call]])
        case "function_call_output":
            messages.append([
                "role": "tool", "tool_call_id": try item.member("call_id")?.value ?? "",
                "content": try content(item.required("output")),
            ])
        case "reasoning": break
        case let type: throw .unsupported("input of type '\(type)'")
        }
    }

    private static func content(_ content: RequestCursor) throws(RequestFailure) -> JSONValue {
        guard content.value.stringValue == nil else { return content.value }
        return .array(
            try content.list { part throws(RequestFailure) in
                switch try part.required("type").string() {
                case "input_text", "output_text", "text":
                    ["type": "text", "text": .string(try part.required("text").string())]
                case let type:
                    throw .invalid("Model only supports text input; received unsupported content type '\(type)'.")
                }
            })
    }

    // MARK: Tools and form

    /// Functions as this interface shows them.
    private mutating func tools(_ body: RequestFields) throws(RequestFailure) -> [JSONValue] {
        guard let list = body["tools"] else { return [] }
        let cursor = RequestCursor(list, RequestReading(), path: "tools")
        var (shown, asked): ([JSONValue], [JSONValue]) = ([], [])
        for tool in try cursor.elements() {
            let type = try tool.required("type").string()
            guard type == "function" else { throw .unsupported("tools of type '\(type)'") }
            var function: JSONObject = ["name": .string(try tool.required("name").string())]
            var copy: JSONObject = ["type": "function", "name": function["name"] ?? .null]
            for name in ["description", "parameters"] {
                guard let value = try tool.member(name)?.value else { continue }
                (function[name], copy[name]) = (value, value)
            }
            let isStrict = try tool.member("strict")?.boolean() ?? false
            copy["strict"] = .bool(isStrict)
            if isStrict { function["strict"] = true }
            asked.append(["type": "function", "function": .object(function)])
            shown.append(.object(copy))
        }
        if !asked.isEmpty { chat["tools"] = .array(asked) }
        return shown
    }

    private mutating func choice(_ body: RequestFields) throws(RequestFailure) -> JSONValue {
        guard let choice = body["tool_choice"] else { return "auto" }
        if case .object(let object) = choice, let name = object["name"] {
            chat["tool_choice"] = ["type": "function", "function": ["name": name]]
        } else {
            chat["tool_choice"] = choice
        }
        return choice
    }

    private mutating func form(_ body: RequestFields) throws(RequestFailure) {
        guard let format = try body.fields("text")?.fields("format") else { return }
        switch try format.required("type", format.string) {
        case "text": break
        case "json_schema":
            chat["response_format"] = ["type": "json_schema", "json_schema": .object(format.object)]
        default: chat["response_format"] = .object(format.object)
        }
    }
}
