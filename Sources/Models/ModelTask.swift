/// What a model is for: what the numbers of its answers are, and what whoever serves it must heed.
package struct ModelTask: Sendable, Equatable {
    /// What an answer is.
    package enum Kind: String, Sendable, CaseIterable {
        /// Logits of the next token.
        case generation
        /// A vector that stands for a text.
        case embedding
        /// Scores of a pair of texts.
        case crossEncoder = "cross_encoder"
        /// Scores of a text: rewards, or logits of its classes.
        case classification
    }

    package var kind: Kind
    /// Numbers of one answer.
    package var width: Int
    /// A prompt is computed in one step and shares no prefix with others, since later tokens change earlier ones or all of them count.
    package var wholePrompts = false
    /// An answer becomes a vector of length 1, after it was cut to the dimensions that were asked for.
    package var normalizes = false
    /// Numbers of dimensions that may be asked for; empty: any; nil: none.
    package var matryoshka: [Int]?
    /// Names of the numbers of an answer, as far as the configuration has them.
    package var labels: [String] = []
    /// Longest text that the model was made for, in tokens; longer ones are cut to it where that is asked for.
    package var maxTokens: Int
    /// Kinds of tokens that the model tells apart (the first and the second of two texts); 1: it does not.
    package var tokenTypes = 1
    /// What becomes of the rows of a text, in a word: `last`, `mean`, `cls` …; empty where nothing is pooled.
    package var pooling = ""
    /// A token sees those behind it too.
    package var isBidirectional = false

    package init(_ kind: Kind, width: Int, maxTokens: Int) {
        self.kind = kind
        self.width = width
        self.maxTokens = maxTokens
    }
}
