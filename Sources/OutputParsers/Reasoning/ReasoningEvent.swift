/// A piece of an answer, told apart into what the model thinks and what it says.
package enum ReasoningEvent: Sendable, Equatable {
    /// A piece of the thinking.
    case reasoning(String)
    /// A piece of the answer itself.
    case content(String)
}

/// A whole answer, told apart.
package struct ReasoningAnswer: Sendable, Equatable {
    /// What the model thinks.
    package var reasoning: String
    /// What it says.
    package var content: String

    package init(reasoning: String = "", content: String = "") {
        self.reasoning = reasoning
        self.content = content
    }
}

extension [ReasoningEvent] {
    /// Adds a piece, as one with the piece before it where that is of the same kind; nothing for an empty one.
    mutating func add(_ piece: ReasoningEvent) {
        switch (last, piece) {
        case (_, .reasoning("")), (_, .content("")): break
        case (.reasoning(let before), .reasoning(let text)): self[count - 1] = .reasoning(before + text)
        case (.content(let before), .content(let text)): self[count - 1] = .content(before + text)
        default: append(piece)
        }
    }
}
