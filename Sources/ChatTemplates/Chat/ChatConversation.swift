package import JSON
package import Values

/// A conversation and what else a template is told, rendered as transformers' `apply_chat_template` does.
package struct ChatConversation: Equatable, Sendable {
    /// Messages as objects, `role` and `content` among their members.
    package var messages: [JSONObject]
    /// Tools in the order and with the keys of the request.
    package var tools: [JSONValue]?
    /// Documents to answer from, each with `title` and `text`.
    package var documents: [JSONValue]?
    /// Whether the template opens an answer of the assistant.
    package var addsGenerationPrompt: Bool
    /// Whether the text ends inside of the last message, for the model to go on with it.
    package var continuesFinalMessage: Bool
    /// Further variables: special tokens as `bos_token`, and the request's own as `enable_thinking`.
    package var variables: JSONObject

    package init(
        messages: [JSONObject], tools: [JSONValue]? = nil, documents: [JSONValue]? = nil,
        addsGenerationPrompt: Bool = false, continuesFinalMessage: Bool = false, variables: JSONObject = JSONObject()
    ) {
        self.messages = messages
        self.tools = tools
        self.documents = documents
        self.addsGenerationPrompt = addsGenerationPrompt
        self.continuesFinalMessage = continuesFinalMessage
        self.variables = variables
    }

    /// The text of the conversation.
    package func rendered(
        with template: ChatTemplate, limits: TemplateLimits = TemplateLimits(), at clock: CalendarTime
    ) throws(TemplateError) -> String {
        var messages = messages.map { Self.withReasoningNames(Self.withoutNulls($0)) }
        guard continuesFinalMessage else {
            return try template.render(context(messages), limits: limits, at: clock)
        }
        let final = try markFinalMessage(&messages, template)
        let text = try template.render(context(messages), limits: limits, at: clock)
        return try Self.cut(text, final: final)
    }

    /// The variables of the template.
    private func context(_ messages: [JSONObject]) -> TemplateContext {
        var all = variables
        all["messages"] = .array(messages.map { .object($0) })
        all["tools"] = tools.map { .array($0) } ?? .null
        all["documents"] = documents.map { .array($0) } ?? .null
        all["add_generation_prompt"] = .bool(addsGenerationPrompt)
        return TemplateContext(all)
    }

    /// Many templates write "None" for a member that is null, and do without one that is missing.
    private static func withoutNulls(_ message: JSONObject) -> JSONObject {
        JSONObject(message.filter { !$0.1.isNull }.map { ($0.0, $0.1) })
    }

    private static let reasoningNames = ["reasoning_content", "thinking", "reasoning"]

    /// Reasoning under the name that most templates read, and under gpt-oss's.
    private static func withReasoningNames(_ message: JSONObject) -> JSONObject {
        guard let reasoning = reasoningNames.compactMap({ message[$0] }).first else { return message }
        var named: JSONObject = ["thinking": reasoning]
        for (key, value) in message { named[key] = value }
        named["reasoning_content"] = reasoning
        return named
    }

    // MARK: The end of a message that goes on

    private static let mark = "CONTINUE_FINAL_MESSAGE_TAG "

    /// Puts a mark behind the last message's text; gives that text.
    private func markFinalMessage(
        _ messages: inout [JSONObject], _ template: ChatTemplate
    ) throws(TemplateError) -> String {
        guard let last = messages.last, let content = last["content"] else {
            throw .runtime("continue_final_message is set but the last message has no content to continue")
        }
        guard PythonText.contains(template.source, "content") else {
            throw .runtime("continue_final_message is set but the template does not read the content of messages")
        }
        switch content {
        case .string(let text):
            messages[messages.count - 1]["content"] = .string(text + Self.mark)
            return text
        case .array(var parts):
            for place in parts.indices.reversed() {
                guard let text = parts[place]["text"]?.stringValue, var part = parts[place].objectValue else {
                    continue
                }
                part["text"] = .string(text + Self.mark)
                parts[place] = .object(part)
                messages[messages.count - 1]["content"] = .array(parts)
                return text
            }
            throw .runtime("continue_final_message is set but the last message has no text to continue")
        default:
            throw .runtime("continue_final_message is set but the last message's content is no text")
        }
    }

    /// The text up to the mark.
    private static func cut(_ text: String, final: String) throws(TemplateError) -> String {
        let bytes = Array(text.utf8)
        let bareMark = Array(PythonText.strip(mark, nil).utf8)
        guard PythonText.contains(text, PythonText.strip(final, nil)),
            let place = PythonText.places(of: bareMark, in: bytes).last
        else {
            throw .runtime("continue_final_message is set but the template does not keep the last message as it is")
        }
        let before = String(decoding: bytes[..<place], as: UTF8.self)
        let keepsSpace = place + bareMark.count < bytes.count && bytes[place + bareMark.count] == UInt8(ascii: " ")
        // A template that trims the message took the mark's space, and so has to lose the message's own.
        return keepsSpace ? before : PythonText.strip(before, nil, left: false)
    }
}
