internal import JSON

/// Whether a value satisfies schemas: with this the values of `enum` and `const` are chosen.
extension SchemaAlternatives {
    /// Whether a value satisfies all of some nodes.
    mutating func check(_ value: JSONValue, _ conjunction: [Int]) throws(GrammarError) -> Bool {
        for atoms in try alternatives(of: conjunction) where try checkAtoms(value, atoms) { return true }
        return false
    }

    /// Those of some values that satisfy all of some nodes.
    mutating func satisfying(_ values: [JSONValue], _ conjunction: [Int]) throws(GrammarError) -> [JSONValue] {
        var ways: [(facts: SchemaFacts, values: ValueSet?)] = []
        for atoms in try alternatives(of: conjunction) {
            let facts = try facts(of: atoms)
            ways.append((facts, facts.values.map { ValueSet($0) }))
        }
        try budget.spend(work: values.count * 10)
        var found: [JSONValue] = []
        for value in values {
            for (facts, values) in ways where values?.holds(value) ?? true {
                guard try check(value, beyondValues: facts) else { continue }
                found.append(value)
                break
            }
        }
        return found
    }

    private mutating func checkAtoms(_ value: JSONValue, _ atoms: [Int]) throws(GrammarError) -> Bool {
        let facts = try facts(of: atoms)
        if let values = facts.values, !values.holds(value) { return false }
        return try check(value, beyondValues: facts)
    }

    /// Whether a value satisfies all but the list of values that there may be.
    private mutating func check(_ value: JSONValue, beyondValues facts: SchemaFacts) throws(GrammarError) -> Bool {
        guard facts.types.contains(SchemaTypes(of: value)) else { return false }
        if facts.excluded.holds(value) { return false }
        switch value {
        case .null, .bool: return true
        case .int, .unsigned, .double: return facts.allow(Decimal(value)!)
        case .string(let text): return try check(text, facts)
        case .array(let elements): return try check(elements, facts)
        case .object(let members): return try check(members, facts)
        }
    }

    private mutating func check(_ text: String, _ facts: SchemaFacts) throws(GrammarError) -> Bool {
        let count = text.unicodeScalars.count
        guard count >= facts.minLength, count <= facts.maxLength ?? .max else { return false }
        for (regex, matches, place) in facts.patterns {
            if try automaton(of: regex, place).takes(text) != matches { return false }
        }
        for (name, matches, place) in facts.formats {
            if try automaton(ofFormat: name, place).takes(text) != matches { return false }
        }
        return true
    }

    private mutating func check(_ elements: [JSONValue], _ facts: SchemaFacts) throws(GrammarError) -> Bool {
        guard elements.count >= facts.minItems, elements.count <= facts.maxItems ?? .max else { return false }
        if facts.isUnique {
            for (index, one) in elements.enumerated() where elements[..<index].contains(where: { $0.isSame(as: one) }) {
                return false
            }
        }
        for (index, element) in elements.enumerated() where try !check(element, facts.element(index)) { return false }
        for (node, from, least, most) in facts.contains {
            var count = 0
            for element in elements.dropFirst(from) where try check(element, [node]) { count += 1 }
            if count < least || count > most ?? .max { return false }
        }
        return true
    }

    private mutating func check(_ members: JSONObject, _ facts: SchemaFacts) throws(GrammarError) -> Bool {
        guard members.count >= facts.minProperties, members.count <= facts.maxProperties ?? .max else { return false }
        for key in facts.required where members[key] == nil { return false }
        for (key, value) in members {
            for node in facts.names where try !check(.string(key), [node]) { return false }
            if try !check(value, member(key, facts)) { return false }
        }
        return true
    }

    /// The nodes that hold for a member of an object.
    mutating func member(_ key: String, _ facts: SchemaFacts) throws(GrammarError) -> [Int] {
        var matched: Set<String> = []
        for rule in facts.objects {
            for (regex, _) in rule.patterns where try automaton(of: regex, facts.place).takes(key) {
                matched.insert(regex)
            }
        }
        return facts.member(key) { matched.contains($0) }
    }
}

extension SchemaFacts {
    /// Whether a number is within the bounds and a multiple of what it has to be.
    func allow(_ number: Decimal) -> Bool {
        if let lower, number < lower.bound || lower.isExclusive && number == lower.bound { return false }
        if let upper, number > upper.bound || upper.isExclusive && number == upper.bound { return false }
        for (divisor, isSo) in multiples where divisor.divides(number) != isSo { return false }
        return true
    }

    /// The nodes that hold for a member with a key.
    func member(_ key: String, patternMatches: (String) -> Bool) -> [Int] {
        var nodes: [Int] = []
        for rule in objects {
            var isNamed = false
            for (name, node) in rule.properties where name.isSame(as: key) {
                nodes.append(node)
                isNamed = true
            }
            for (regex, node) in rule.patterns where patternMatches(regex) {
                nodes.append(node)
                isNamed = true
            }
            if !isNamed, let rest = rule.additional { nodes.append(rest) }
        }
        return nodes
    }

    /// The nodes that hold for an element at a place.
    func element(_ index: Int) -> [Int] {
        var nodes: [Int] = []
        for rule in arrays {
            if index < rule.prefix.count {
                nodes.append(rule.prefix[index])
            } else if let items = rule.items {
                nodes.append(items)
            }
        }
        return nodes
    }
}
