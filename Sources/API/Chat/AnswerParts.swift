/// A piece of an answer as the client of a chat sees it.
package enum AnswerPiece: Sendable, Equatable {
    case content(String)
    case reasoning(String)
}

/// Takes an answer's text apart as it comes. What it gives depends on the text alone, never on how that was cut.
package struct AnswerParts: Sendable {
    package init() {}

    /// The pieces that more text makes certain.
    package mutating func feed(_ text: String) -> [AnswerPiece] { text.isEmpty ? [] : [.content(text)] }

    /// What was held back, now that no text follows.
    package mutating func finish() -> [AnswerPiece] { [] }
}

/// The pieces of a whole answer, put together.
package struct AnswerMessage: Sendable, Equatable {
    package var content = ""
    /// Nil where there are no thoughts.
    package var reasoning: String?

    package init(_ pieces: [AnswerPiece]) {
        for piece in pieces {
            switch piece {
            case .content(let text): content += text
            case .reasoning(let text): reasoning = (reasoning ?? "") + text
            }
        }
    }
}
