// Expressions, from the loosest binding to the tightest. The precedences are Jinja's, which differ from Python's in
// places: `~` binds tighter than `+`, a unary minus tighter than `**`, and a filter tighter than either.
extension Parser {
    /// One expression; `x if y else z` only where `allowsConditional`.
    mutating func expression(allowsConditional: Bool = true) throws(TemplateError) -> Expression {
        try nested { (parser) throws(TemplateError) in
            allowsConditional ? try parser.conditional() : try parser.disjunction()
        }
    }

    private mutating func conditional() throws(TemplateError) -> Expression {
        var value = try disjunction()
        while isName("if") {
            let line = current.line
            advance()
            let test = try disjunction()
            var otherwise: Expression?
            if skip(name: "else") { otherwise = try expression() }
            value = try node(line, .conditional(test: test, then: value, otherwise: otherwise))
        }
        return value
    }

    private mutating func disjunction() throws(TemplateError) -> Expression {
        let first = try conjunction()
        guard isName("or") else { return first }
        var parts = [first]
        while skip(name: "or") { parts.append(try conjunction()) }
        return try node(first.line, .or(parts))
    }

    private mutating func conjunction() throws(TemplateError) -> Expression {
        let first = try negation()
        guard isName("and") else { return first }
        var parts = [first]
        while skip(name: "and") { parts.append(try negation()) }
        return try node(first.line, .and(parts))
    }

    private mutating func negation() throws(TemplateError) -> Expression {
        guard isName("not") else { return try comparison() }
        let line = current.line
        advance()
        let operand = try nested { (parser) throws(TemplateError) in try parser.negation() }
        return try node(line, .not(operand))
    }

    private mutating func comparison() throws(TemplateError) -> Expression {
        let first = try sum()
        var operands: [Expression.Operand] = []
        while let operation = comparisonOperator() {
            operands.append(Expression.Operand(operation: operation, expression: try sum()))
        }
        return try operands.isEmpty ? first : node(first.line, .comparison(first, operands))
    }

    private mutating func comparisonOperator() -> Operator? {
        switch current.kind {
        case .symbol(let symbol):
            guard let operation = Operator(rawValue: symbol.rawValue) else { return nil }
            switch operation {
            case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
                advance()
                return operation
            default: return nil
            }
        case .name("in"):
            advance()
            return .isIn
        case .name("not") where following == .name("in"):
            advance()
            advance()
            return .isNotIn
        default: return nil
        }
    }

    private mutating func sum() throws(TemplateError) -> Expression {
        let first = try concatenation()
        var operands: [Expression.Operand] = []
        while isSymbol(.add) || isSymbol(.subtract) {
            let operation: Operator = isSymbol(.add) ? .add : .subtract
            advance()
            operands.append(Expression.Operand(operation: operation, expression: try concatenation()))
        }
        return try operands.isEmpty ? first : node(first.line, .chain(first, operands))
    }

    private mutating func concatenation() throws(TemplateError) -> Expression {
        let first = try product()
        guard isSymbol(.tilde) else { return first }
        var parts = [first]
        while skip(.tilde) { parts.append(try product()) }
        return try node(first.line, .concatenation(parts))
    }

    private mutating func product() throws(TemplateError) -> Expression {
        let first = try power()
        var operands: [Expression.Operand] = []
        while case .symbol(let symbol) = current.kind, [.multiply, .divide, .floorDivide, .modulo].contains(symbol),
            let operation = Operator(rawValue: symbol.rawValue)
        {
            advance()
            operands.append(Expression.Operand(operation: operation, expression: try power()))
        }
        return try operands.isEmpty ? first : node(first.line, .chain(first, operands))
    }

    private mutating func power() throws(TemplateError) -> Expression {
        let first = try unary(allowsFilters: true)
        var operands: [Expression.Operand] = []
        while skip(.power) {
            operands.append(Expression.Operand(operation: .power, expression: try unary(allowsFilters: true)))
        }
        return try operands.isEmpty ? first : node(first.line, .chain(first, operands))
    }

    private mutating func unary(allowsFilters: Bool) throws(TemplateError) -> Expression {
        let line = current.line
        var value: Expression
        if isSymbol(.subtract) || isSymbol(.add) {
            let isNegative = isSymbol(.subtract)
            advance()
            let operand = try nested { (parser) throws(TemplateError) in try parser.unary(allowsFilters: false) }
            value = try node(line, isNegative ? .negative(operand) : .positive(operand))
        } else {
            value = try primary()
        }
        value = try postfix(value)
        return allowsFilters ? try filtersAndTests(value) : value
    }

    /// A name, a literal or something in brackets.
    mutating func primary() throws(TemplateError) -> Expression {
        let token = current
        switch token.kind {
        case .name(let text):
            advance()
            switch text {
            case "true", "True": return try node(token.line, .constant(.bool(true)))
            case "false", "False": return try node(token.line, .constant(.bool(false)))
            case "none", "None": return try node(token.line, .constant(.none))
            default: return try node(token.line, .name(reference(to: text)))
            }
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text += more
                advance()
            }
            return try node(token.line, .constant(.string(text)))
        case .int(let number):
            advance()
            return try node(token.line, .constant(.int(number)))
        case .float(let number):
            advance()
            return try node(token.line, .constant(.float(number)))
        case .symbol(.leftParenthesis):
            advance()
            let value = try tuple(isInParentheses: true)
            try expect(.rightParenthesis)
            return value
        case .symbol(.leftBracket): return try list()
        case .symbol(.leftBrace): return try dictionary()
        default: throw fail("unexpected \(token.kind.label)")
        }
    }

    /// One expression, or several with commas between, which are a tuple.
    mutating func tuple(
        allowsConditional: Bool = true, isInParentheses: Bool = false, before end: String? = nil
    ) throws(TemplateError) -> Expression {
        let line = current.line
        var parts: [Expression] = []
        var isTuple = false
        while true {
            if !parts.isEmpty { try expect(.comma) }
            if isTupleEnd(end) { break }
            parts.append(try expression(allowsConditional: allowsConditional))
            guard isSymbol(.comma) else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = parts.first { return only }
            if !isInParentheses { throw fail("expected an expression, got \(current.kind.label)") }
        }
        return try node(line, .tuple(parts))
    }

    /// Whether a tuple cannot go on here.
    func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .outputEnd, .blockEnd, .symbol(.rightParenthesis): true
        case .name(let text): text == end
        default: false
        }
    }

    private mutating func list() throws(TemplateError) -> Expression {
        let line = current.line
        try expect(.leftBracket)
        var elements: [Expression] = []
        while !isSymbol(.rightBracket) {
            if !elements.isEmpty { try expect(.comma) }
            if isSymbol(.rightBracket) { break }
            elements.append(try expression())
        }
        try expect(.rightBracket)
        return try node(line, .list(elements))
    }

    private mutating func dictionary() throws(TemplateError) -> Expression {
        let line = current.line
        try expect(.leftBrace)
        var members: [Expression.DictMember] = []
        while !isSymbol(.rightBrace) {
            if !members.isEmpty { try expect(.comma) }
            if isSymbol(.rightBrace) { break }
            let key = try expression()
            try expect(.colon)
            members.append(Expression.DictMember(key: key, value: try expression()))
        }
        try expect(.rightBrace)
        return try node(line, .dict(members))
    }
}
