// What may follow a value: attributes, subscripts, calls, filters and tests.
extension Parser {
    /// Attributes, subscripts and calls behind a value.
    mutating func postfix(_ value: Expression) throws(TemplateError) -> Expression {
        var value = value
        while true {
            switch current.kind {
            case .symbol(.dot): value = try attribute(of: value)
            case .symbol(.leftBracket): value = try subscripted(value)
            case .symbol(.leftParenthesis):
                value = try node(current.line, .call(value, try arguments()))
            default: return value
            }
        }
    }

    /// Filters, tests and calls behind a value.
    mutating func filtersAndTests(_ value: Expression) throws(TemplateError) -> Expression {
        var value = value
        while true {
            switch current.kind {
            case .symbol(.pipe):
                advance()
                value = try filter(of: value)
            case .name("is"): value = try test(of: value)
            case .symbol(.leftParenthesis):
                value = try node(current.line, .call(value, try arguments()))
            default: return value
            }
        }
    }

    private mutating func attribute(of value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        switch current.kind {
        case .name(let text):
            advance()
            return try node(line, .attribute(value, text))
        case .int(let number):
            advance()
            let index = try node(line, .constant(.int(number)))
            return try node(line, .item(value, index))
        default: throw fail("expected a name or a number after '.', got \(current.kind.label)")
        }
    }

    private mutating func subscripted(_ value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        var indices: [Expression] = []
        while !isSymbol(.rightBracket) {
            if !indices.isEmpty { try expect(.comma) }
            if isSymbol(.colon) {
                guard indices.isEmpty else { throw fail("a slice among several subscripts") }
                return try slice(of: value, start: nil, line: line)
            }
            let index = try expression()
            if indices.isEmpty, isSymbol(.colon) { return try slice(of: value, start: index, line: line) }
            indices.append(index)
        }
        advance()
        guard let first = indices.first else { throw fail("an empty subscript", line: line) }
        let index = try indices.count == 1 ? first : node(line, .tuple(indices))
        return try node(line, .item(value, index))
    }

    private mutating func slice(
        of value: Expression, start: Expression?, line: Int
    ) throws(TemplateError) -> Expression {
        var bounds: [Expression?] = [nil, nil]
        for index in bounds.indices {
            guard skip(.colon) else { break }
            if !isSymbol(.colon), !isSymbol(.rightBracket) { bounds[index] = try expression() }
        }
        try expect(.rightBracket)
        let slice = Expression.Slice(start: start, stop: bounds[0], step: bounds[1])
        return try node(line, .slice(value, slice))
    }

    /// What stands between the parentheses of a call.
    mutating func arguments() throws(TemplateError) -> ArgumentList {
        let line = current.line
        try expect(.leftParenthesis)
        var list = ArgumentList()
        var isFirst = true
        while !isSymbol(.rightParenthesis) {
            if !isFirst {
                try expect(.comma)
                if isSymbol(.rightParenthesis) { break }
            }
            isFirst = false
            if skip(.multiply) {
                guard list.spread == nil, list.namedSpread == nil else { throw badCall(line) }
                list.spread = try expression()
            } else if skip(.power) {
                guard list.namedSpread == nil else { throw badCall(line) }
                list.namedSpread = try expression()
            } else if case .name(let name) = current.kind, following == .symbol(.assign) {
                guard list.namedSpread == nil else { throw badCall(line) }
                advance()
                advance()
                guard !list.named.contains(where: { $0.name == name }) else {
                    throw fail("the argument '\(name)' is given twice")
                }
                list.named.append(ArgumentList.Keyword(name: name, value: try expression()))
            } else {
                guard list.spread == nil, list.namedSpread == nil, list.named.isEmpty else { throw badCall(line) }
                list.positional.append(try expression())
            }
        }
        try expect(.rightParenthesis)
        return list
    }

    private func badCall(_ line: Int) -> TemplateError {
        fail("arguments of a call are in the wrong order", line: line)
    }

    /// The name and arguments of a filter; the bar is behind us. More bars are left to the caller.
    mutating func filter(of value: Expression?) throws(TemplateError) -> Expression {
        let line = current.line
        let name = try dottedName()
        let arguments = isSymbol(.leftParenthesis) ? try arguments() : ArgumentList()
        return try node(line, .filter(value, name, arguments))
    }

    private mutating func dottedName() throws(TemplateError) -> String {
        var name = try expectName()
        while skip(.dot) { name += "." + (try expectName()) }
        return name
    }

    private mutating func test(of value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        let isNegated = skip(name: "not")
        let name = try dottedName()
        var list = ArgumentList()
        if isSymbol(.leftParenthesis) {
            list = try arguments()
        } else if beginsTestOperand {
            if isName("is") { throw fail("tests cannot be chained with 'is'") }
            list.positional = [try postfix(try primary())]
        }
        let test = try node(line, .test(value, name, list))
        return try isNegated ? node(line, .not(test)) : test
    }

    /// Whether the operand of a test without parentheses begins here.
    private var beginsTestOperand: Bool {
        switch current.kind {
        case .name(let text): !["else", "or", "and"].contains(text)
        case .string, .int, .float, .symbol(.leftBracket), .symbol(.leftBrace): true
        default: false
        }
    }
}
