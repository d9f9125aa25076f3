internal import JSON

/// Turns a JSON Schema into rules: one for each set of schemas that have to hold together somewhere.
struct SchemaCompiler {
    var schemas: SchemaAlternatives
    let layout: JSONLayout
    private var rules: [Expression] = []
    private var numbers: [[Int]: Int] = [:]
    /// Rules whose expressions are still to be made.
    private var open: [(rule: Int, conjunction: [Int])] = []

    /// Where the schemas of rules stand.
    private var places: [Int: SchemaPlace] = [:]

    /// The rules of a schema, added to others.
    static func compile(
        _ schema: JSONValue, layout: JSONLayout, adding rules: inout PlacedRules, _ budget: inout Budget
    ) throws(GrammarError) -> Int {
        let document = SchemaDocument(schema)
        if let place = document.unknownDialect {
            throw place.refusal("only the dialects of json-schema.org are known")
        }
        let nodes = SchemaNodes(document, most: 20_000)
        var compiler = SchemaCompiler(schemas: SchemaAlternatives(nodes, budget), layout: layout)
        compiler.rules = rules.expressions
        let root = try compiler.rule(for: [compiler.schemas.nodes.node(schema, at: "")])
        while let next = compiler.open.popLast() {
            try compiler.schemas.budget.spend(work: 100)
            let place = compiler.place(of: next.conjunction)
            do throws(GrammarError) {
                compiler.places[next.rule] = place
                compiler.rules[next.rule] = try compiler.expression(of: next.conjunction)
            } catch {
                throw error.placed(at: place)
            }
        }
        rules.expressions = compiler.rules
        rules.places.merge(compiler.places) { old, _ in old }
        budget = compiler.schemas.budget
        return root
    }

    /// A schema's text as JSON, within limits.
    static func parse(_ text: String, depth: Int) throws(GrammarError) -> JSONValue {
        let value: JSONValue
        do throws(JSONError) {
            // A schema within a schema stands two levels deeper.
            value = try JSON.parse(Array(text.utf8), maximumDepth: 1_000, dialect: .python)
        } catch {
            throw GrammarError(error.reason, at: .offset(error.offset))
        }
        try checkDepth(value, most: depth * 4)
        return value
    }

    /// Refuses what is nested too deep, and says where.
    private static func checkDepth(_ value: JSONValue, most: Int) throws(GrammarError) {
        var open: [(value: JSONValue, depth: Int, pointer: String, keyword: String?)] = [(value, 0, "", nil)]
        while let next = open.popLast() {
            guard next.depth <= most else {
                let place = SchemaPlace(pointer: next.pointer, keyword: next.keyword)
                throw place.refusal("it is nested deeper than \(most) levels")
            }
            switch next.value {
            case .array(let list):
                for (index, element) in list.enumerated() {
                    open.append((element, next.depth + 1, "\(next.pointer)/\(index)", next.keyword))
                }
            case .object(let object):
                for (key, member) in object {
                    open.append((member, next.depth + 1, "\(next.pointer)/\(SchemaDocument.escaped(key))", key))
                }
            default: break
            }
        }
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

    /// Where schemas that hold together stand, and what asks for most there.
    private mutating func place(of conjunction: [Int]) -> SchemaPlace? {
        guard let first = try? schemas.alternatives(of: conjunction).first, let facts = try? schemas.facts(of: first)
        else { return schemas.nodes.site(of: conjunction.first)?.place(nil) }
        return facts.heaviest
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
            return try schemas.satisfying(values, atoms).map { literal($0) }
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
        let spelling: Spelling = isPlain ? .quotedPlainly : .quoted
        return .sequence([.literal("\""), .text(try text(facts), spelling), .literal("\"")])
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
        let texts = try schemas.satisfying(values, atoms).compactMap(\.stringValue)
        return try Automaton.literals(texts, &schemas.budget)
    }
}
