internal import JSON

extension Grammar {
    /// Compiles a source.
    /// - Throws: What is wrong with it, or cannot be had.
    package init(
        _ source: GrammarSource, options: GrammarOptions = GrammarOptions(), limits: GrammarLimits = GrammarLimits()
    ) throws(GrammarError) {
        let text = source.text
        if text.utf8.count > limits.sourceBytes {
            let reason = "it has \(text.utf8.count) bytes, more than \(limits.sourceBytes)"
            throw source.kind == "json" ? SchemaPlace(pointer: "", keyword: nil).refusal(reason) : GrammarError(reason)
        }
        if text.utf8.contains(0) { throw GrammarError("it has a NUL character") }
        var budget = Budget(limits)
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
