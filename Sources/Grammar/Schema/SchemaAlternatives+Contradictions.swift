/// What can be seen of contradictions without making automata.
extension SchemaAlternatives {
    /// Whether nothing satisfies two schemas at once, as far as that is easily seen.
    mutating func excludes(_ one: Int, _ other: Int) throws(GrammarError) -> Bool {
        guard one != other else { return false }
        try budget.spend(work: 800)
        defer { forgetAlternatives(of: [one, other]) }
        return try isImpossible([one, other], depth: 3)
    }

    /// Whether nothing satisfies some schemas at once, as far as that is easily seen. What cannot be taken apart may be possible.
    mutating func isImpossible(_ conjunction: [Int], depth: Int) throws(GrammarError) -> Bool {
        guard let alternatives = try? alternatives(of: conjunction) else { return false }
        for atoms in alternatives where try !isContradiction(atoms, depth: depth) { return false }
        return true
    }

    private mutating func isContradiction(_ atoms: [Int], depth: Int) throws(GrammarError) -> Bool {
        let facts = try facts(of: atoms)
        var types = facts.types
        if let values = facts.values {
            return try satisfying(values, atoms).isEmpty
        }
        if let lower = facts.lower, let upper = facts.upper {
            let isEmpty =
                lower.bound > upper.bound || lower.bound == upper.bound && (lower.isExclusive || upper.isExclusive)
            if isEmpty { types.subtract(.number) }
        }
        if let most = facts.maxLength, most < facts.minLength { types.remove(.string) }
        if let most = facts.maxItems, most < facts.minItems { types.remove(.array) }
        if let most = facts.maxProperties, most < max(facts.minProperties, facts.required.count) {
            types.remove(.object)
        }
        if types.contains(.object), depth > 0 {
            for key in facts.required {
                let member = try member(key, facts)
                if try isImpossible(member, depth: depth - 1) {
                    types.remove(.object)
                    break
                }
            }
        }
        return types.isEmpty
    }
}
