package import JSON
package import Values

/// A chat request on its way to a template: messages as the API has them, made what templates expect, as SGLang does.
package struct ChatPrompt: Equatable, Sendable {
    /// What becomes of a last message that is the assistant's.
    package enum Ending: Equatable, Sendable {
        /// It is handed on as the user's, and the assistant answers. So chats are rendered unless told otherwise.
        case answer
        /// The assistant goes on with it: its text ends the prompt.
        case continuation
        /// The messages are rendered as they are, with or without the opening of an answer.
        case verbatim(addsGenerationPrompt: Bool)
    }

    /// Messages of the request.
    package var messages: [JSONValue]
    /// Tools the model may call, in the order and with the keys of the request.
    package var tools: [JSONValue]?
    package var ending: Ending
    /// Documents to answer from, each with `title` and `text`.
    package var documents: [JSONValue]?
    /// Special tokens, defaults of the server and `chat_template_kwargs`, later ones over earlier ones.
    package var variables: JSONObject

    package init(
        messages: [JSONValue], tools: [JSONValue]? = nil, ending: Ending = .answer, variables: JSONObject = JSONObject()
    ) {
        self.messages = messages
        self.tools = tools
        self.ending = ending
        self.variables = variables
    }

    /// The prompt. Where the template cannot render the tools as they are, it gets the bare functions.
    package func text(
        with template: ChatTemplate, limits: TemplateLimits = TemplateLimits(), at clock: CalendarTime
    ) throws(TemplateError) -> String {
        var (conversation, rest) = try conversation(keepsParts: template.readsContentParts)
        do throws(TemplateError) {
            return try conversation.rendered(with: template, limits: limits, at: clock) + rest
        } catch {
            guard let tools, !tools.isEmpty, error.kind != .limit else { throw error }
            conversation.tools = tools.map { $0["function"] ?? $0 }
            return try conversation.rendered(with: template, limits: limits, at: clock) + rest
        }
    }

    /// The conversation that is rendered, and the text that follows it.
    package func conversation(keepsParts: Bool) throws(TemplateError) -> (ChatConversation, rest: String) {
        var prepared: [JSONObject] = []
        for (place, message) in messages.enumerated() {
            guard let message = message.objectValue else {
                throw TemplateError(.conversation, "messages[\(place)] must be an object")
            }
            prepared.append(try ChatMessage(message, at: place).prepared(keepsParts: keepsParts))
        }
        var conversation = ChatConversation(
            messages: prepared, tools: tools.flatMap { $0.isEmpty ? nil : $0 }, documents: documents,
            addsGenerationPrompt: true, variables: variables)
        if case .verbatim(let adds) = ending {
            conversation.addsGenerationPrompt = adds
            return (conversation, "")
        }
        guard let last = prepared.last, last["role"] == .string("assistant"), let text = last["content"]?.stringValue
        else { return (conversation, "") }
        conversation.messages.removeLast()
        if ending == .continuation { return (conversation, text) }
        conversation.messages.append(["role": "user", "content": .string(text)])
        return (conversation, "")
    }
}

/// One message of a request.
private struct ChatMessage {
    private static let media: Set<String> = [
        "image", "image_url", "input_image", "video", "video_url", "audio", "audio_url", "input_audio",
    ]

    let members: JSONObject
    let role: String
    let place: Int

    init(_ members: JSONObject, at place: Int) throws(TemplateError) {
        guard let role = members["role"]?.stringValue else {
            throw TemplateError(.conversation, "messages[\(place)].role must be a string")
        }
        self.members = members
        self.role = role == "user" ? role : PythonText.lower(role)
        self.place = place
    }

    /// The message as templates expect it: no nulls but for the content, which becomes empty; content as text unless
    /// the template reads parts; a call's arguments as an object.
    func prepared(keepsParts: Bool) throws(TemplateError) -> JSONObject {
        var message = JSONObject()
        for (key, value) in members where !value.isNull { message[key] = value }
        message["role"] = .string(role)
        message["content"] = try content(keepsParts: keepsParts)
        if role == "assistant", let calls = members["tool_calls"]?.arrayValue {
            var parsed: [JSONValue] = []
            for call in calls { parsed.append(try Self.withParsedArguments(call)) }
            message["tool_calls"] = .array(parsed)
        }
        return message
    }

    private func content(keepsParts: Bool) throws(TemplateError) -> JSONValue {
        switch members["content"] {
        case nil, .null?: return ""
        case .string(let text)?: return .string(text)
        case .array(let parts)?:
            var kept: [JSONValue] = []
            var texts: [String] = []
            for part in parts {
                if let text = try text(of: part) {
                    texts.append(text)
                    kept.append(["type": "text", "text": .string(text)])
                } else if part["type"] == .string("tool_reference") {
                    kept.append(part)
                }
            }
            let isTextOnly = kept.count == texts.count
            return keepsParts && !(role == "tool" && isTextOnly) ? .array(kept) : .string(texts.joined(separator: " "))
        default:
            throw TemplateError(.conversation, "messages[\(place)].content must be a string or a list of parts")
        }
    }

    /// The text of a part; nil for a part without any.
    private func text(of part: JSONValue) throws(TemplateError) -> String? {
        if let text = part.stringValue { return text }
        guard let type = part["type"]?.stringValue else {
            throw TemplateError(.conversation, "messages[\(place)].content has a part without a type")
        }
        if Self.media.contains(type) {
            throw TemplateError(
                .conversation, "Model only supports text input; received unsupported content type '\(type)'.")
        }
        guard type == "text" || type == "input_text" else { return nil }
        guard let text = part["text"]?.stringValue else {
            throw TemplateError(.conversation, "messages[\(place)].content has a text part without a text")
        }
        return text
    }

    /// A call whose arguments are an object rather than its text.
    private static func withParsedArguments(_ call: JSONValue) throws(TemplateError) -> JSONValue {
        guard var members = call.objectValue, var function = members["function"]?.objectValue,
            let text = function["arguments"]?.stringValue
        else { return call }
        let arguments: JSONValue
        do throws(JSONError) {
            arguments = try JSON.parse(text)
        } catch {
            throw TemplateError(.conversation, "Assistant tool call function.arguments must be valid JSON.")
        }
        guard arguments.objectValue != nil else {
            throw TemplateError(.conversation, "Assistant tool call function.arguments must be a JSON object.")
        }
        function["arguments"] = arguments
        members["function"] = .object(function)
        return .object(members)
    }
}
