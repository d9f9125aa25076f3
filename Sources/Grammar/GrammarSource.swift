/// What a grammar is written in.
package enum GrammarSource: Hashable, Sendable {
    /// A JSON Schema, or `$$ANY$$` for any JSON value.
    case jsonSchema(String)
    /// A regular expression for the whole text.
    case regex(String)
    /// Rules, one of which is named `root`.
    case ebnf(String)
    /// Free text with parts that a schema or another format binds, as JSON.
    case structuralTag(String)

    /// As requests and messages name the kind.
    package var kind: String {
        switch self {
        case .jsonSchema: "json"
        case .regex: "regex"
        case .ebnf: "ebnf"
        case .structuralTag: "structural_tag"
        }
    }

    /// The source itself.
    package var text: String {
        switch self {
        case .jsonSchema(let text), .regex(let text), .ebnf(let text), .structuralTag(let text): text
        }
    }
}
