/// A token of a template and the line on which it begins.
struct Token: Sendable {
    let line: Int
    let kind: Kind

    enum Kind: Equatable, Sendable {
        /// Text between tags.
        case text(String)
        case outputBegin
        case outputEnd
        case blockBegin
        case blockEnd
        case name(String)
        case string(String)
        case int(Int)
        case float(Double)
        case symbol(Symbol)
        case end
    }

    /// Punctuation and operators.
    enum Symbol: String, CaseIterable, Sendable {
        case floorDivide = "//"
        case power = "**"
        case equal = "=="
        case notEqual = "!="
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case add = "+"
        case subtract = "-"
        case divide = "/"
        case multiply = "*"
        case modulo = "%"
        case tilde = "~"
        case leftBracket = "["
        case rightBracket = "]"
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBrace = "{"
        case rightBrace = "}"
        case greater = ">"
        case less = "<"
        case assign = "="
        case dot = "."
        case colon = ":"
        case pipe = "|"
        case comma = ","
        case semicolon = ";"
    }
}

extension Token.Kind {
    /// How error messages call the token.
    var label: String {
        switch self {
        case .text: "text"
        case .outputBegin: "'{{'"
        case .outputEnd: "'}}'"
        case .blockBegin: "'{%'"
        case .blockEnd: "'%}'"
        case .name(let text): "'\(text)'"
        case .string(let text): "string '\(text.prefix(40))'"
        case .int(let number): "\(number)"
        case .float(let number): "\(number)"
        case .symbol(let symbol): "'\(symbol.rawValue)'"
        case .end: "end of template"
        }
    }
}
