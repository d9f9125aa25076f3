// Statements: text, outputs and tags.
extension Parser {
    /// Statements up to one of some tags, at whose name the parser then stands; without tags up to the end.
    mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
        try nested { (parser) throws(TemplateError) in try parser.readStatements(until: ends) }
    }

    private mutating func readStatements(until ends: [String]) throws(TemplateError) -> [Statement] {
        var body: [Statement] = []
        while true {
            let line = current.line
            switch current.kind {
            case .text(let text):
                advance()
                body.append(Statement(line: line, kind: .text(text)))
            case .outputBegin:
                advance()
                body.append(Statement(line: line, kind: .output(try tuple())))
                try expect(.outputEnd)
            case .blockBegin:
                advance()
                if case .name(let name) = current.kind, ends.contains(name) { return body }
                body.append(contentsOf: try statement())
                try expect(.blockEnd)
            default:
                guard ends.isEmpty else {
                    throw fail("the template ends where '\(ends.joined(separator: "' or '"))' is missing")
                }
                return body
            }
        }
    }

    /// The body of a tag up to one of its ends, whose name is read too.
    private mutating func body(until ends: String...) throws(TemplateError) -> (statements: [Statement], end: String) {
        _ = skip(.colon)
        try expect(.blockEnd)
        let statements = try statements(until: ends)
        return (statements, try expectName())
    }

    private mutating func statement() throws(TemplateError) -> [Statement] {
        let line = current.line
        let tag = try expectName()
        let kind: Statement.Kind
        switch tag {
        case "if": kind = try conditionalTag()
        case "for": kind = try loopTag()
        case "set": kind = try setTag()
        case "macro": kind = .macro(try macroTag())
        case "call": kind = try callTag()
        case "filter": kind = try filterTag()
        case "with": kind = try withTag()
        case "print": return try printTag(line)
        case "generation": kind = .scope(try detachedBody(until: "endgeneration"), isRoot: false)
        case "block": kind = try blockTag()
        case "autoescape": kind = try autoescapeTag()
        case "break", "continue":
            guard loops > 0 else { throw fail("'\(tag)' outside of a loop", line: line) }
            kind = tag == "break" ? .breakLoop : .continueLoop
        case "include", "import", "from", "extends":
            throw fail("'\(tag)' needs other templates, which a chat template has not", line: line)
        default: throw fail("unknown tag '\(tag)'", line: line)
        }
        return [Statement(line: line, kind: kind)]
    }

    private mutating func conditionalTag() throws(TemplateError) -> Statement.Kind {
        var branches: [Statement.Branch] = []
        while true {
            let test = try tuple(allowsConditional: false)
            let (statements, end) = try body(until: "elif", "else", "endif")
            branches.append(Statement.Branch(test: test, body: statements))
            switch end {
            case "elif": continue
            case "else": return .conditional(branches, otherwise: try body(until: "endif").statements)
            default: return .conditional(branches, otherwise: [])
            }
        }
    }

    private mutating func loopTag() throws(TemplateError) -> Statement.Kind {
        let target = try target(before: "in")
        try expect(name: "in")
        let iterable = try tuple(allowsConditional: false, before: "recursive")
        let filter = skip(name: "if") ? try expression() : nil
        let isRecursive = skip(name: "recursive")
        loops += 1
        let (statements, end) = try body(until: "endfor", "else")
        loops -= 1
        let otherwise = end == "else" ? try body(until: "endfor").statements : []
        return .loop(
            Statement.Loop(
                target: target, iterable: iterable, filter: filter, isRecursive: isRecursive, body: statements,
                otherwise: otherwise))
    }

    private mutating func setTag() throws(TemplateError) -> Statement.Kind {
        let target = try target(allowsAttributes: true)
        if skip(.assign) { return .assign(target, try tuple()) }
        var filter: Expression?
        while skip(.pipe) { filter = try self.filter(of: filter) }
        return .assignBlock(target, filter: filter, try body(until: "endset").statements)
    }

    private mutating func macroTag() throws(TemplateError) -> MacroDefinition {
        let label = try expectName()
        let name = names.number(of: label)
        let parameters = try parameters()
        return try macro(name: name, label: label, parameters, until: "endmacro")
    }

    private mutating func callTag() throws(TemplateError) -> Statement.Kind {
        let line = current.line
        let parameters = isSymbol(.leftParenthesis) ? try parameters() : []
        let call = try expression()
        guard case .call = call.kind else { throw fail("expected a call", line: line) }
        return .callBlock(call: call, try macro(name: nil, label: "caller", parameters, until: "endcall"))
    }

    private mutating func macro(
        name: Name?, label: String, _ parameters: [MacroDefinition.Parameter], until end: String
    ) throws(TemplateError) -> MacroDefinition {
        specials.append([])
        let statements = try detachedBody(until: end)
        var met = specials.removeLast()
        if !specials.isEmpty { specials[specials.count - 1].formUnion(met) }
        for parameter in parameters {
            switch parameter.name {
            case NameTable.caller: met.remove(.caller)
            case NameTable.varargs: met.remove(.varargs)
            case NameTable.kwargs: met.remove(.kwargs)
            default: break
            }
        }
        return MacroDefinition(name: name, label: label, parameters: parameters, body: statements, specials: met)
    }

    /// A body that runs as a function of its own, so that no `break` inside ends a loop outside.
    private mutating func detachedBody(until end: String) throws(TemplateError) -> [Statement] {
        let outer = loops
        loops = 0
        defer { loops = outer }
        return try body(until: end).statements
    }

    private mutating func parameters() throws(TemplateError) -> [MacroDefinition.Parameter] {
        var list: [MacroDefinition.Parameter] = []
        try expect(.leftParenthesis)
        while !isSymbol(.rightParenthesis) {
            if !list.isEmpty { try expect(.comma) }
            let text = try expectName()
            var preset: Expression?
            if skip(.assign) {
                preset = try expression()
            } else if list.last?.preset != nil {
                throw fail("a parameter without a default follows one with a default")
            }
            guard !list.contains(where: { $0.text == text }) else {
                throw fail("the parameter '\(text)' is named twice")
            }
            list.append(MacroDefinition.Parameter(name: names.number(of: text), text: text, preset: preset))
        }
        advance()
        return list
    }

    private mutating func filterTag() throws(TemplateError) -> Statement.Kind {
        var filter = try self.filter(of: nil)
        while skip(.pipe) { filter = try self.filter(of: filter) }
        return .filterBlock(filter, try body(until: "endfilter").statements)
    }

    private mutating func withTag() throws(TemplateError) -> Statement.Kind {
        var bindings: [Statement.Binding] = []
        while current.kind != .blockEnd {
            if !bindings.isEmpty { try expect(.comma) }
            let target = try target()
            try expect(.assign)
            bindings.append(Statement.Binding(target: target, value: try expression()))
        }
        return .with(bindings, try body(until: "endwith").statements)
    }

    private mutating func printTag(_ line: Int) throws(TemplateError) -> [Statement] {
        var outputs: [Statement] = []
        while current.kind != .blockEnd {
            if !outputs.isEmpty { try expect(.comma) }
            outputs.append(Statement(line: line, kind: .output(try expression())))
        }
        return outputs
    }

    private mutating func blockTag() throws(TemplateError) -> Statement.Kind {
        let name = try expectName()
        let isScoped = skip(name: "scoped")
        let statements = try detachedBody(until: "endblock")
        _ = skip(name: name)
        return .scope(statements, isRoot: !isScoped)
    }

    private mutating func autoescapeTag() throws(TemplateError) -> Statement.Kind {
        let value = try expression()
        guard case .constant(.bool(false)) = value.kind else { throw fail("chat templates are not escaped") }
        return .scope(try body(until: "endautoescape").statements, isRoot: false)
    }

    // MARK: Targets

    /// What a `set`, `for` or `with` assigns to.
    private mutating func target(
        before end: String? = nil, allowsAttributes: Bool = false
    ) throws(TemplateError) -> Target {
        var parts: [Target] = []
        var isTuple = false
        while true {
            if !parts.isEmpty { try expect(.comma) }
            if isTupleEnd(end) { break }
            parts.append(try singleTarget(allowsAttributes: allowsAttributes))
            guard isSymbol(.comma) else { break }
            isTuple = true
        }
        guard let first = parts.first else { throw fail("expected a name, got \(current.kind.label)") }
        return isTuple ? .tuple(parts) : first
    }

    private mutating func singleTarget(allowsAttributes: Bool) throws(TemplateError) -> Target {
        if skip(.leftParenthesis) {
            let inner = try nested { (parser) throws(TemplateError) in
                try parser.target(allowsAttributes: false)
            }
            try expect(.rightParenthesis)
            return inner
        }
        let text = try expectName()
        guard !["true", "false", "none", "True", "False", "None"].contains(text) else {
            throw fail("cannot assign to '\(text)'")
        }
        if allowsAttributes, skip(.dot) { return .attribute(reference(to: text), try expectName()) }
        return .name(names.number(of: text))
    }
}
