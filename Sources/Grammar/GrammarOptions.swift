/// What is the same for all grammars of a server.
package struct GrammarOptions: Sendable, Hashable {
    /// What may stand between the parts of JSON.
    package enum Whitespace: Sendable, Hashable {
        /// As much as there likes to be.
        case any
        /// Nothing but one space behind commas and colons.
        case none
        /// Up to so many characters.
        case atMost(Int)
        /// What a regular expression matches.
        case pattern(String)
    }

    /// What may stand between the parts of JSON.
    package var whitespace: Whitespace
    /// Special tokens by their texts: structural tags that name one are satisfied by it.
    package var specialTokens: [String]

    /// States options.
    package init(whitespace: Whitespace = .any, specialTokens: [String] = []) {
        self.whitespace = whitespace
        self.specialTokens = specialTokens
    }
}
