internal import JSON
package import Messages
internal import OutputParsers
internal import Values

/// How the answers of the model are taken apart, as the operator and its template have it.
package struct ChatParsers: Sendable {
    /// Name of the format of tool calls; nil: calls are not looked for.
    package var tools: String?
    /// Name of the format of thoughts; nil: they are part of the answer.
    package var reasoning: String?
    package var thinking = TemplateThinking.unknown

    package init() {}

    /// What takes the answers to a chat apart.
    package func parts(for chat: ChatRequest) -> AnswerParts {
        AnswerParts(reasoning: reasoning(for: chat), tools: tools(for: chat))
    }

    /// What the worker should know of the thinking part of a chat's answers; nil: nothing.
    func thinkingPart(of chat: ChatRequest) -> ThinkingPart? {
        guard let reasoning,
            let span = ReasoningParser.span(
                reasoning, isForced: isForced(reasoning, chat),
                effort: chat.variables["reasoning_effort"]?.stringValue)
        else { return nil }
        // What the prompt holds of the answer counts: the thoughts may be open there, or over.
        let opening = Array(chat.opening.utf8)
        if opening.holds(bytes: Array(span.end.utf8)) { return nil }
        let isOpen = span.isOpen || opening.holds(bytes: Array(span.start.utf8))
        return .make {
            ($0.start, $0.end, $0.isOpen) = (span.start, span.end, isOpen)
            if let calls = span.calls { $0.calls = calls }
            if let tokens = chat.thinking.tokens { $0.budget = UInt32(clamping: tokens) }
            if let share = chat.thinking.share { $0.share = share }
        }
    }

    /// Texts behind which the answer proper begins that a client's grammar binds; none: at the end of the thinking part, or at once.
    func answerOpenings(_ chat: ChatRequest) -> [String] {
        guard let reasoning else { return [] }
        let span = ReasoningParser.span(reasoning, isForced: isForced(reasoning, chat), effort: nil)
        return [span?.answer].compactMap { $0 }
    }

    /// What the worker should know of the thinking part that a prompt without messages has opened, and behind which texts the answer
    /// begins; nil: nobody looks for one.
    package var openThinking: (part: ThinkingPart, answer: [String])? {
        reasoning.flatMap { ReasoningParser.span($0, isForced: true, effort: nil) }.map { span in
            let part = ThinkingPart.make {
                ($0.start, $0.end, $0.isOpen) = (span.start, span.end, true)
                if let calls = span.calls { $0.calls = calls }
            }
            return (part, [span.answer].compactMap { $0 })
        }
    }

    /// The answer begins inside the thinking part.
    private func isForced(_ reasoning: String, _ chat: ChatRequest) -> Bool {
        ReasoningParser.isForced(reasoning, chat.variables, template: thinking.isForced(chat.variables))
    }

    /// The marks that the formats look for are special tokens, which a chat's answers have to show.
    func needsSpecialTokens(_ chat: ChatRequest) -> Bool {
        let names = Set([tools, reasoning].compactMap(\.self))
        if !names.isDisjoint(with: ["gpt-oss", "gemma4"]) { return true }
        switch reasoning {
        case "apertus2509", "kimi_k3": return true
        case "mistral": return chat.variables["reasoning_effort"].map { !$0.isNull && $0 != "none" } ?? false
        default: return false
        }
    }

    /// What answers to a chat have to be for its tools; nil: anything.
    func constraint(of chat: ChatRequest) -> CallConstraint? { CallConstraint(chat.tools, format: tools) }

    private func reasoning(for chat: ChatRequest) -> ReasoningParser? {
        guard let reasoning, chat.parts.separatesReasoning else { return nil }
        let options = ReasoningOptions(
            isForced: isForced(reasoning, chat),
            streams: chat.parts.streamsReasoning, prefix: chat.opening,
            needsContent: chat.variables["force_nonempty_content"] == true,
            effort: chat.variables["reasoning_effort"]?.stringValue)
        return try? ReasoningParser.named(reasoning, options)
    }

    private func tools(for chat: ChatRequest) -> ToolCallParser? {
        // A forced call in a format that has no form of its own is an element of a JSON list.
        if chat.tools.isForced, tools.map({ ToolCallParser.structure(of: $0, tool: "") == nil }) ?? true {
            return ToolCallParser.list(tools: chat.tools.definitions)
        }
        guard let tools, chat.tools.isActive else { return nil }
        return try? ToolCallParser.named(tools, tools: chat.tools.definitions)
    }

    // MARK: The word auto

    /// Texts by which a template shows its format of tool calls, the most telling first.
    private static let toolSigns: [(sign: String, name: String)] = [
        ("<|channel>", "gemma4"), ("<|tool_calls_section_begin|>", "kimi_k2"), ("<|channel|>commentary", "gpt-oss"),
        ("<function=", "qwen3_coder"), ("<arg_key>", "glm45"), ("<minimax:tool_call>", "minimax-m2"),
        ("```json", "deepseekv3"), ("<｜tool▁calls▁begin｜>", "deepseekv31"), ("[TOOL_CALLS]", "mistral"),
        ("<|python_start|>", "pythonic"), ("<|python_tag|>", "llama3"), ("<|tool_call_start|>", "lfm2"),
        ("<tool_call>\\n", "qwen"), ("<tool_call>\n", "qwen"), ("<tool_call>", "hermes"),
    ]
    private static let reasoningSigns: [(sign: String, name: String)] = [
        ("<|channel>", "gemma4"), ("<|channel|>analysis", "gpt-oss"), ("[THINK]", "mistral"), ("◁think▷", "kimi"),
        ("<mm:think>", "minimax-m3"),
        ("<｜Assistant｜>", "deepseek-r1"), ("<think>", "qwen3"),
    ]

    /// The format of tool calls that a template shows.
    package static func toolsShown(by template: String) -> String? {
        name(in: template, toolSigns, ToolCallParser.names)
    }

    /// The format of thoughts that a template shows.
    package static func reasoningShown(by template: String) -> String? {
        name(in: template, reasoningSigns, ReasoningParser.names)
    }

    private static func name(in template: String, _ signs: [(sign: String, name: String)], _ known: [String]) -> String?
    {
        let bytes = Array(template.utf8)
        return signs.first { known.contains($0.name) && bytes.holds(bytes: Array($0.sign.utf8)) }?.name
    }
}
