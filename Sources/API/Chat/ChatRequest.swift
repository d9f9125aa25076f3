package import APICore
package import JSON
package import Ledger
package import Messages

/// The body of a chat request after all checks that need neither model nor template.
package struct ChatRequest: Sendable {
    /// Where the server stands on chats.
    package struct Rules: Sendable {
        /// What fields have that a request leaves out.
        package var defaults = GenerationFields.Defaults()
        /// Variables of the template that every conversation gets (`--default-chat-template-kwargs`).
        package var variables: JSONObject = [:]
        /// Clients may bring templates.
        package var trustsTemplates = false
        /// Texts at which answers stop, beside those of the request: those of a built-in template.
        package var stops: [String] = []
        /// The longest sequence, where the operator bound it (`--context-length`).
        package var contextLimit: Int?

        package init() {}
    }

    package var fields: GenerationFields
    package var prompt: GenerationPlan.Prompt
    package var tools: ChatTools
    /// Alternatives for each token; nil: no log probabilities.
    package var topLogprobs: Int?
    package var parts: ChatAnswerWishes
    /// How long the model may think.
    package var thinking: ThinkingBudget
    /// The variables that the template gets.
    package let variables: JSONObject
    /// What of the answer the prompt holds: the last message, where the assistant goes on with it.
    package let opening: String
    /// Tool calls that the conversation holds.
    package let earlierCalls: Int

    /// Reads a body.
    ///
    /// - Parameter now: seconds since 1970, which the template takes for the time.
    package init(_ body: RequestFields, _ rules: Rules, now: Double) throws(RequestFailure) {
        let messages = try ChatMessages(body)
        fields = try GenerationFields(body, rules.defaults)
        tools = try ChatTools(body)
        parts = try ChatAnswerWishes(body, isStreamed: fields.isStreamed)
        topLogprobs = try body.bool("logprobs") ? body.int("top_logprobs") ?? 0 : nil
        let wish = try ReasoningWish(body)
        thinking = ThinkingBudget(share: wish.share)
        var variables = rules.variables
        for (name, value) in wish.variables { variables[name] = value }
        self.variables = variables
        opening = try body.bool("continue_final_message") ? messages.opening : ""
        earlierCalls = messages.callCount
        let ids = try body.idLists("input_ids")
        if messages.isEmpty { throw .invalid("Messages cannot be empty.") }
        try tools.check()
        if let ids {
            guard case .one(let list) = ids, !list.isEmpty else { throw .invalid("input_ids must be a list of ids.") }
            prompt = .ids(list)
        } else {
            prompt = .conversation(try Self.conversation(body, messages, tools, wish, rules, now: now))
        }
        try limit(body, rules)
        stop(at: rules.stops)
        try tools.check(against: fields.sampling)
        if tools.isActive { fields.sampling["skip_special_tokens"] = false }
    }

    private mutating func limit(_ body: RequestFields, _ rules: Rules) throws(RequestFailure) {
        let (longName, shortName) = (try body.int("max_completion_tokens"), try body.int("max_tokens"))
        let asked = longName ?? shortName
        fields.sampling["max_new_tokens"] = asked.map { .int(Int64($0)) } ?? .null
        if let asked, let most = rules.contextLimit, asked > most {
            throw .invalid(
                "max_completion_tokens is too large: \(asked)."
                    + "This model supports at most \(most) completion tokens.")
        }
    }

    private mutating func stop(at stops: [String]) {
        guard !stops.isEmpty else { return }
        let asked = fields.sampling["stop"]?.arrayValue ?? []
        fields.sampling["stop"] = .array(asked + stops.map { .string($0) }.filter { !asked.contains($0) })
    }

    // MARK: The conversation

    /// The conversation of a body, for those who want its prompt alone.
    package static func conversation(
        _ body: RequestFields, _ rules: Rules, now: Double
    ) throws(RequestFailure) -> Conversation {
        let messages = try ChatMessages(body)
        if messages.isEmpty { throw .invalid("Messages cannot be empty.") }
        let tools = try ChatTools(body)
        try tools.check()
        return try conversation(body, messages, tools, ReasoningWish(body), rules, now: now)
    }

    private static func conversation(
        _ body: RequestFields, _ messages: ChatMessages, _ tools: ChatTools, _ thinking: ReasoningWish, _ rules: Rules,
        now: Double
    ) throws(RequestFailure) -> Conversation {
        var variables = rules.variables
        let own = thinking.variables
        for (name, value) in own { variables[name] = value }
        var conversation = Conversation()
        if own["chat_template"] != nil, !rules.trustsTemplates {
            throw .invalid(
                "Request-supplied chat_template is not allowed. Start the server with "
                    + "--trust-request-chat-template to permit it.")
        }
        if let template = variables["chat_template"] {
            guard let text = template.stringValue else {
                throw .malformed("body.chat_template_kwargs.chat_template: Input should be a valid string")
            }
            conversation.template = text
            variables["chat_template"] = nil
        }
        if let documents = variables["documents"] {
            guard documents.arrayValue != nil else {
                throw .malformed("body.chat_template_kwargs.documents: Input should be a valid list")
            }
            conversation.documents = JSON.encodeToString(documents)
            variables["documents"] = nil
        }
        for name in ["messages", "tools", "add_generation_prompt", "continue_final_message"]
        where variables[name] != nil {
            throw .invalid("chat_template_kwargs.\(name) cannot be set; it is a field of the request.")
        }
        conversation.messages = JSON.encodeToString(.array(messages.values))
        let shown = tools.shown
        if !shown.isEmpty { conversation.tools = JSON.encodeToString(.array(shown)) }
        conversation.variables = JSON.encodeToString(.object(variables))
        conversation.ending = try body.bool("continue_final_message") ? .continuation : .answer
        conversation.time = now
        return conversation
    }
}

/// How long the model may think: the least of what is said.
package struct ThinkingBudget: Sendable, Equatable {
    /// Tokens of the thinking part; nil: as many as it likes.
    package var tokens: Int?
    /// The same as a share of the tokens that the answer may have.
    package var share: Double?
}

/// How hard the model should think, and the other variables that a request gives its template.
package struct ReasoningWish: Sendable {
    /// The request's variables: `chat_template_kwargs`, and what follows from the effort.
    package private(set) var variables: JSONObject
    /// The effort where it is a number: thinking gets this share of the tokens that the answer may have.
    package private(set) var share: Double?

    private static let efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "ultra", "max"]

    /// Reads the fields of a body.
    package init(_ body: RequestFields) throws(RequestFailure) {
        variables = try body.fields("chat_template_kwargs")?.object ?? [:]
        var effort = body["reasoning_effort"]
        if let reasoning = try body.fields("reasoning") {
            if let named = reasoning["effort"] ?? reasoning["reasoning_effort"] { effort = named }
            let isOn = try reasoning.bool("enabled", or: reasoning.bool("enable"))
            if isOn { suggest("thinking", true) }
        }
        guard let effort else { return }
        switch effort {
        case .string(let word):
            guard Self.efforts.contains(word) else {
                let words = Self.efforts.map { "'\($0)'" }.joined(separator: ", ")
                throw .malformed("body.reasoning_effort: Input should be \(words) or a number from 0 to 0.99")
            }
            if word == "none" {
                suggest("thinking", false)
                suggest("enable_thinking", false)
            }
        default:
            guard let share = effort.doubleValue, (0...0.99).contains(share) else {
                throw .malformed("body.reasoning_effort: Input should be a word or a number from 0 to 0.99")
            }
            self.share = share
        }
        suggest("reasoning_effort", effort)
    }

    /// Sets a variable unless the request did so itself.
    private mutating func suggest(_ name: String, _ value: JSONValue) {
        if variables[name] == nil { variables[name] = value }
    }
}
