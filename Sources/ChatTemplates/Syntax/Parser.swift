/// Reads tokens into statements and expressions. Expressions are in ExpressionParser.swift, statements in
/// StatementParser.swift.
struct Parser {
    private let tokens: [Token]
    private var position = 0
    private var depth = 0
    var names = NameTable()
    /// The special names met inside each macro that is being read, innermost last.
    var specials: [SpecialNames] = []
    /// Loops that a `break` may end, here.
    var loops = 0

    private init(_ tokens: [Token]) { self.tokens = tokens }

    /// Reads a template.
    static func parse(_ source: String) throws(TemplateError) -> TemplateSyntax {
        var parser = Parser(try Lexer.tokens(of: source))
        let statements = try parser.statements(until: [])
        return TemplateSyntax(statements: statements, names: parser.names)
    }

    // MARK: Tokens

    var current: Token { tokens[position] }

    /// The token after the current one.
    var following: Token.Kind { tokens[min(position + 1, tokens.count - 1)].kind }

    /// Goes on to the next token; the last one stays.
    mutating func advance() {
        if position + 1 < tokens.count { position += 1 }
    }

    func fail(_ reason: String, line: Int? = nil) -> TemplateError {
        TemplateError(.syntax, line: line ?? current.line, reason)
    }

    func isSymbol(_ symbol: Token.Symbol) -> Bool { current.kind == .symbol(symbol) }

    func isName(_ text: String) -> Bool {
        if case .name(let name) = current.kind { name == text } else { false }
    }

    mutating func skip(_ symbol: Token.Symbol) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol) throws(TemplateError) {
        if !skip(symbol) { throw fail("expected '\(symbol.rawValue)', got \(current.kind.label)") }
    }

    mutating func expect(_ kind: Token.Kind) throws(TemplateError) {
        guard current.kind == kind else { throw fail("expected \(kind.label), got \(current.kind.label)") }
        advance()
    }

    mutating func expect(name: String) throws(TemplateError) {
        if !skip(name: name) { throw fail("expected '\(name)', got \(current.kind.label)") }
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let text) = current.kind else { throw fail("expected a name, got \(current.kind.label)") }
        advance()
        return text
    }

    /// Reads something nested in what is being read, up to a bound.
    mutating func nested<Part>(
        _ read: (inout Parser) throws(TemplateError) -> Part
    ) throws(TemplateError) -> Part {
        depth += 1
        defer { depth -= 1 }
        guard depth <= TemplateLimits.sourceDepth else {
            throw fail("nested deeper than \(TemplateLimits.sourceDepth) levels")
        }
        return try read(&self)
    }

    /// An expression, unless that makes a tree too deep to walk.
    func node(_ line: Int, _ kind: Expression.Kind) throws(TemplateError) -> Expression {
        let expression = Expression(line: line, kind: kind)
        guard expression.height <= TemplateLimits.expressionHeight else {
            throw fail("an expression with too many parts in parts", line: line)
        }
        return expression
    }

    /// The number of a variable that is read, noted where it is one of a macro's special names.
    mutating func reference(to text: String) -> Name {
        let name = names.number(of: text)
        if !specials.isEmpty {
            switch name {
            case NameTable.caller: specials[specials.count - 1].insert(.caller)
            case NameTable.varargs: specials[specials.count - 1].insert(.varargs)
            case NameTable.kwargs: specials[specials.count - 1].insert(.kwargs)
            default: break
            }
        }
        return name
    }
}
