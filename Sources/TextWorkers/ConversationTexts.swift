package import ChatTemplates
internal import JSON
package import Messages
package import Tokenizers
internal import Values

/// Makes prompts of conversations: the model's templates, read once, and the variables that every conversation gets.
package struct ConversationTexts: Sendable {
    private let templates: TemplateSet
    private let specialTokens: JSONObject

    /// - Parameter config: tells the special tokens by name; nil where there is no tokenizer.
    package init(_ templates: TemplateSet, _ config: TokenizerConfig?) {
        self.templates = templates
        let tokens = [
            ("bos_token", config?.bosToken), ("eos_token", config?.eosToken), ("unk_token", config?.unkToken),
            ("sep_token", config?.sepToken), ("pad_token", config?.padToken), ("cls_token", config?.clsToken),
        ]
        specialTokens = JSONObject(tokens.compactMap { name, token in token.map { (name, .string($0)) } })
    }

    /// The prompt of a conversation.
    ///
    /// - Throws: what is wrong with the conversation or its template, naming the line.
    package func text(_ conversation: Conversation) throws(PromptChecks.Refusal) -> String {
        do throws(TemplateError) {
            let tools = try Self.list(conversation.tools)
            let template =
                conversation.template.isEmpty
                ? try templates.template(hasTools: tools?.isEmpty == false) : try ChatTemplate(conversation.template)
            var variables = specialTokens
            for (name, value) in try Self.json(conversation.variables)?.objectValue ?? [:] { variables[name] = value }
            var prompt = ChatPrompt(
                messages: try Self.list(conversation.messages) ?? [], tools: tools,
                ending: Self.ending(conversation.ending), variables: variables)
            prompt.documents = try Self.list(conversation.documents)
            return try prompt.text(with: template, at: CalendarTime(local: Int(conversation.time)))
        } catch { throw PromptChecks.Refusal(message: "\(error)") }
    }

    private static func ending(_ ending: Conversation.Ending) -> ChatPrompt.Ending {
        switch ending {
        case .continuation: .continuation
        case .opened: .verbatim(addsGenerationPrompt: true)
        case .closed: .verbatim(addsGenerationPrompt: false)
        case .answer, .UNRECOGNIZED: .answer
        }
    }

    private static func list(_ text: String) throws(TemplateError) -> [JSONValue]? { try json(text)?.arrayValue }

    private static func json(_ text: String) throws(TemplateError) -> JSONValue? {
        guard !text.isEmpty else { return nil }
        do throws(JSONError) { return try JSON.parse(text) } catch {
            throw TemplateError(.conversation, "The conversation cannot be read: \(error)")
        }
    }
}
