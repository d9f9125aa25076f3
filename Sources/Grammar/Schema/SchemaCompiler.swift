internal import JSON

/// Turns a JSON Schema into rules: one for each set of schemas that have to hold together somewhere.
struct SchemaCompiler {
    var schemas: SchemaAlternatives
    let layout: JSONLayout
    private var rules: [Expression] = []
    private var numbers: [[Int]: Int] = [:]
    /// The rules of strings of a format.
    private var formats: [String: Int] = [:]
    /// Rules whose expressions are still to be made.
    private var open: [(rule: Int, conjunction: [Int])] = []

    /// The rules of a schema, added to others.
    static func compile(
        _ schema: JSONValue, layout: JSONLayout, adding rules: inout [Expression], _ budget: inout Budget
    ) throws(GrammarError) -> Int {
        let document = SchemaDocument(schema)
        if let place = document.unknownDialect {
            throw place.refusal("only the dialects of json-schema.org are known")
        }
        let nodes = SchemaNodes(document, most: 20_000)
        var compiler = SchemaCompiler(schemas: SchemaAlternatives(nodes, budget), layout: layout)
        compiler.rules = rules
        let root = try compiler.rule(for: [compiler.schemas.nodes.node(schema, at: "")])
        while let next = compiler.open.popLast() {
            compiler.rules[next.rule] = try compiler.expression(of: next.conjunction)
            try compiler.schemas.budget.spend(work: 100)
        }
        rules = compiler.rules
        budget = compiler.schemas.budget
        return root
    }

    /// A schema's text as JSON, within limits.
    static func parse(_ text: String, depth: Int) throws(GrammarError) -> JSONValue {
        let value: JSONValue
        do throws(JSONError) {
            // A schema within a schema stands two levels deeper.
            value = try JSON.parse(Array(text.utf8), maximumDepth: min(1_000, depth * 4), dialect: .python)
        } catch {
            throw GrammarError(error.reason, at: .offset(error.offset))
        }
        return value
    }

    private init(schemas: SchemaAlternatives, layout: JSONLayout) {
        self.schemas = schemas
        self.layout = layout
    }

    /// The rule of schemas that hold together.
    mutating func rule(for conjunction: [Int]) throws(GrammarError) -> Int {
        if let number = numbers[conjunction] { return number }
        try schemas.budget.spend(states: 1)
        let number = rules.count
        rules.append(.never)
        numbers[conjunction] = number
        open.append((number, conjunction))
        return number
    }

    private mutating func expression(of conjunction: [Int]) throws(GrammarError) -> Expression {
        var choices: [Expression] = []
        for atoms in try schemas.alternatives(of: conjunction) { choices += try self.choices(atoms) }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    /// What one alternative allows, kind by kind.
    private mutating func choices(_ atoms: [Int]) throws(GrammarError) -> [Expression] {
        let facts = try schemas.facts(of: atoms)
        if let values = facts.values {
            var choices: [Expression] = []
            for value in values where try schemas.check(value, atoms) { choices.append(literal(value)) }
            return choices
        }
        try checkExclusions(facts)
        var choices: [Expression] = []
        if facts.types.contains(.null), !facts.excluded.holds(.null) { choices.append(.literal("null")) }
        if facts.types.contains(.boolean) {
            for flag in [true, false] where !facts.excluded.holds(.bool(flag)) {
                choices.append(.literal(flag ? "true" : "false"))
            }
        }
        if !facts.types.isDisjoint(with: .number) { choices.append(try number(facts)) }
        if facts.types.contains(.string) { choices.append(try string(facts)) }
        if facts.types.contains(.array) { choices.append(try array(facts)) }
        if facts.types.contains(.object) { choices.append(try object(facts)) }
        return choices
    }

    private func checkExclusions(_ facts: SchemaFacts) throws(GrammarError) {
        for value in facts.excluded {
            let type = SchemaTypes(of: value)
            if type == .array || type == .object, facts.types.contains(type) {
                throw SchemaPlace(pointer: facts.place.pointer, keyword: "not").refusal(
                    "a value that is an array or an object cannot be left out")
            }
        }
    }

    // MARK: Values

    /// A value as it is written.
    func literal(_ value: JSONValue) -> Expression {
        switch value {
        case .array(let elements):
            return bracketed("[", elements.map(literal), "]")
        case .object(let members):
            let parts = members.map { key, value in
                Expression.sequence([.literal(JSON.encodeToString(.string(key))), layout.colon, literal(value)])
            }
            return bracketed("{", parts, "}")
        case .double(let number):
            let short = Decimal(value)?.text ?? "0"
            let written = JSON.encodeToString(value)
            return number == number.rounded() && short != written
                ? .choice([.literal(short), .literal(written)]) : .literal(written)
        default: return .literal(JSON.encodeToString(value))
        }
    }

    private func bracketed(_ open: String, _ parts: [Expression], _ close: String) -> Expression {
        var sequence = [Expression.literal(open), layout.gap]
        for (index, part) in parts.enumerated() {
            if index > 0 { sequence.append(layout.comma) }
            sequence.append(part)
        }
        if !parts.isEmpty { sequence.append(layout.gap) }
        return .sequence(sequence + [.literal(close)])
    }

    // MARK: Strings

    private mutating func string(_ facts: SchemaFacts) throws(GrammarError) -> Expression {
        let isPlain = facts.formats.contains { $0.matches && SchemaFormat.isPlain($0.name) }
        let text = Expression.text(try text(facts), isPlain ? .quotedPlainly : .quoted)
        guard let name = facts.onlyFormat else { return .sequence([.literal("\""), text, .literal("\"")]) }
        // Strings of a format are large, and the same everywhere.
        if formats[name] == nil {
            formats[name] = rules.count
            rules.append(.sequence([.literal("\""), text, .literal("\"")]))
        }
        return .rule(formats[name]!)
    }

    /// The texts that some facts allow.
    private mutating func text(_ facts: SchemaFacts) throws(GrammarError) -> Automaton {
        if let most = facts.maxLength, most < facts.minLength { return .never }
        var parts: [Automaton] = []
        for (regex, matches, place) in facts.patterns {
            let found = try schemas.automaton(of: regex, place)
            parts.append(matches ? found : try found.inverted(&schemas.budget))
        }
        for (name, matches, place) in facts.formats {
            let found = try schemas.automaton(ofFormat: name, place)
            parts.append(matches ? found : try found.inverted(&schemas.budget))
        }
        let excluded = facts.excluded.compactMap(\.stringValue)
        if !excluded.isEmpty {
            parts.append(try Automaton.literals(excluded, &schemas.budget).inverted(&schemas.budget))
        }
        if facts.minLength > 0 || facts.maxLength != nil {
            try schemas.budget.spend(states: facts.maxLength ?? facts.minLength)
            parts.append(Automaton.of(.all, least: facts.minLength, most: facts.maxLength))
        }
        guard var text = parts.first else { return .anything }
        for part in parts.dropFirst() { text = try text.intersection(part, &schemas.budget) }
        return text
    }

    /// The texts that an alternative allows.
    mutating func text(_ facts: SchemaFacts, _ atoms: [Int]) throws(GrammarError) -> Automaton {
        guard let values = facts.values else { return try text(facts) }
        var texts: [String] = []
        for value in values {
            if let text = value.stringValue, try schemas.check(value, atoms) { texts.append(text) }
        }
        return try Automaton.literals(texts, &schemas.budget)
    }
}
