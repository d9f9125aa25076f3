internal import JSON

extension Grammar {
    /// Compiles a source.
    /// - Parameter onLongWork: Told once when it takes longer than usual grammars do.
    /// - Throws: What is wrong with it, or cannot be had.
    package init(
        _ source: GrammarSource, options: GrammarOptions = GrammarOptions(), limits: GrammarLimits = GrammarLimits(),
        onLongWork: (() -> Void)? = nil
    ) throws(GrammarError) {
        var budget = Budget(limits, onLongWork: onLongWork)
        do throws(GrammarError) {
            try self.init(source, options, &budget)
        } catch {
            // Of a schema is told where it asks for that, and be it as a whole.
            throw source.kind == "json" ? error.placed(at: SchemaPlace(pointer: "", keyword: nil)) : error
        }
    }

    private init(_ source: GrammarSource, _ options: GrammarOptions, _ budget: inout Budget) throws(GrammarError) {
        let (text, limits) = (source.text, budget.limits)
        if text.utf8.count > limits.sourceBytes {
            throw GrammarError(beyond: "it has \(text.utf8.count) bytes, more than \(limits.sourceBytes)")
        }
        if text.utf8.contains(0) { throw GrammarError("it has a NUL character") }
        switch source {
        case .regex(let pattern):
            let automaton = try Automaton.matching(pattern, .whole, &budget)
            try self.init(rules: PlacedRules(expressions: [.text(automaton, .plain)]), root: 0, &budget)
        case .ebnf(let text):
            let (rules, root) = try EBNFParser.parse(text, depth: limits.depth)
            try self.init(rules: PlacedRules(expressions: rules), root: root, &budget)
        case .jsonSchema(let text):
            var rules = PlacedRules()
            let layout = try JSONLayout(options.whitespace, &budget)
            let schema = text == "$$ANY$$" ? .bool(true) : try SchemaCompiler.parse(text, depth: limits.depth)
            let root = try SchemaCompiler.compile(schema, layout: layout, adding: &rules, &budget)
            try self.init(rules: rules, root: root, &budget)
        case .structuralTag(let text):
            let (rules, root) = try StructuralTag.compile(text, options: options, &budget)
            try self.init(rules: rules, root: root, &budget)
        }
    }
}
