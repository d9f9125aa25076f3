package import OutputParsers

/// A piece of an answer as the client of a chat sees it.
package enum AnswerPiece: Sendable, Equatable {
    case content(String)
    case reasoning(String)
    /// A call of a tool begins, the first with index 0.
    case call(index: Int, name: String)
    /// A piece of the JSON of a call's arguments.
    case arguments(index: Int, String)
}

/// Takes an answer's text apart as it comes: thoughts first, and of what is left the calls of tools. What it gives depends on
/// the text alone, never on how that was cut; so a row that begins again gives the same.
package struct AnswerParts: Sendable {
    private var reasoning: ReasoningParser?
    private var tools: ToolCallParser?
    /// Calls have begun.
    package private(set) var hasCalls = false

    /// - Parameters:
    ///   - reasoning: tells thoughts from the answer; nil: all is answer.
    ///   - tools: finds the calls; nil: there are none.
    package init(reasoning: ReasoningParser? = nil, tools: ToolCallParser? = nil) {
        self.reasoning = reasoning
        self.tools = tools
    }

    /// The pieces that more text makes certain.
    package mutating func feed(_ text: String) -> [AnswerPiece] {
        guard !text.isEmpty else { return [] }
        guard let events = reasoning?.feed(text) else { return told(text) }
        return events.flatMap { told($0) }
    }

    /// What was held back, now that no text follows.
    package mutating func finish() -> [AnswerPiece] {
        var pieces: [AnswerPiece] = []
        for event in reasoning?.finish() ?? [] { pieces += told(event) }
        for event in tools?.finish() ?? [] { pieces.append(piece(event)) }
        return pieces
    }

    /// A whole answer, by parts that were fed nothing.
    package func message(_ text: String) -> AnswerMessage {
        let answer = reasoning?.parse(text) ?? ReasoningAnswer(content: text)
        let found = tools?.parse(answer.content) ?? ToolCallAnswer(content: answer.content)
        return AnswerMessage(
            content: found.content, reasoning: answer.reasoning.isEmpty ? nil : answer.reasoning, calls: found.calls)
    }

    /// An answer that ended by itself ends with its calls: there are some, and none is incomplete.
    package var endsWithCalls: Bool { hasCalls && tools?.isCallOpen == false }

    /// A call has begun whose arguments are not complete.
    package var isCallOpen: Bool { tools?.isCallOpen ?? false }

    /// The id of a call where the format has a rule for it.
    ///
    /// - Parameter ordinal: counts the calls of the whole conversation.
    package func callID(of tool: String, ordinal: Int) -> String? { tools?.callID(of: tool, ordinal: ordinal) }

    private mutating func told(_ event: ReasoningEvent) -> [AnswerPiece] {
        switch event {
        case .reasoning(let text): [.reasoning(text)]
        case .content(let text): told(text)
        }
    }

    private mutating func told(_ text: String) -> [AnswerPiece] {
        guard let events = tools?.feed(text) else { return [.content(text)] }
        var pieces: [AnswerPiece] = []
        for event in events { pieces.append(piece(event)) }
        return pieces
    }

    private mutating func piece(_ event: ToolCallEvent) -> AnswerPiece {
        switch event {
        case .content(let text): return .content(text)
        case .arguments(let index, let text): return .arguments(index: index, text)
        case .call(let index, let name):
            hasCalls = true
            return .call(index: index, name: name)
        }
    }
}

/// A whole answer, told apart.
package struct AnswerMessage: Sendable, Equatable {
    package var content: String
    /// Nil where there are no thoughts.
    package var reasoning: String?
    package var calls: [ToolCall]
}
