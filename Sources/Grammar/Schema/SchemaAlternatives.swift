internal import JSON

/// Takes schemas that hold together apart: each alternative that comes out is a list of nodes whose facts hold together, and nothing
/// else.
struct SchemaAlternatives {
    var nodes: SchemaNodes
    private var known: [[Int]: [[Int]]] = [:]
    /// What the automata of patterns and all else may cost.
    var budget: Budget
    private var patterns: [String: Automaton] = [:]
    private var formats: [String: Automaton] = [:]

    init(_ nodes: SchemaNodes, _ budget: Budget) {
        self.nodes = nodes
        self.budget = budget
    }

    /// The texts in which a pattern is found.
    mutating func automaton(of regex: String, _ place: SchemaPlace) throws(GrammarError) -> Automaton {
        if let known = patterns[regex] { return known }
        do throws(GrammarError) {
            let automaton = try Automaton.matching(regex, .part, &budget)
            patterns[regex] = automaton
            return automaton
        } catch {
            throw place.refusal("\(regex): \(error)")
        }
    }

    /// The texts of a format.
    mutating func automaton(ofFormat name: String, _ place: SchemaPlace) throws(GrammarError) -> Automaton {
        if let known = formats[name] { return known }
        guard let regex = SchemaFormat.named(name) else { throw place.refusal("the format \(name) cannot be had") }
        let automaton = try Automaton.matching(regex, .whole, &budget)
        formats[name] = automaton
        return automaton
    }

    /// Alternatives that are being built.
    private struct Branch {
        var open: [Int]
        var seen: Set<Int> = []
        var atoms: [Int] = []
        var types = SchemaTypes.all
        /// Choices that are still to be made.
        var groups: [[[Int]]] = []
    }

    /// The alternatives of schemas that hold together.
    mutating func alternatives(of conjunction: [Int]) throws(GrammarError) -> [[Int]] {
        if let known = known[conjunction] { return known }
        var found: [[Int]] = []
        try expand(Branch(open: conjunction), &found)
        known[conjunction] = found
        return found
    }

    private mutating func expand(_ branch: Branch, _ found: inout [[Int]]) throws(GrammarError) {
        var branch = branch
        guard try settle(&branch) else { return }
        guard let group = branch.groups.first else {
            if !found.contains(branch.atoms) { found.append(branch.atoms) }
            let most = budget.limits.alternatives
            guard found.count <= most else { throw GrammarError("it falls apart into more than \(most) alternatives") }
            return
        }
        branch.groups.removeFirst()
        try budget.spend(work: 50)
        for alternative in group {
            var next = branch
            next.open = alternative
            try expand(next, &found)
        }
    }

    /// Goes through the open nodes of a branch; false where they contradict each other.
    private mutating func settle(_ branch: inout Branch) throws(GrammarError) -> Bool {
        var at = 0
        while at < branch.open.count {
            let node = branch.open[at]
            at += 1
            guard branch.seen.insert(node).inserted else { continue }
            switch nodes[node] {
            case .made(let fact, _):
                if case .types(let types) = fact { branch.types.formIntersection(types) }
                branch.atoms.append(node)
            case .opposite(let inner): branch.groups.append(try nodes.alternatives(oppositeOf: inner))
            case .written(.bool(let flag), _): if !flag { return false }
            case .written(let value, let pointer):
                guard case .object(let schema) = value else { return false }
                if try take(schema, pointer, &branch) { branch.atoms.append(node) }
            }
        }
        branch.open = []
        return !branch.types.isEmpty
    }

    /// Takes what joins schemas out of one.
    /// - Returns: Whether it has facts of its own.
    private mutating func take(
        _ schema: JSONObject, _ pointer: String, _ branch: inout Branch
    ) throws(GrammarError) -> Bool {
        var hasFacts = false
        for (fact, _) in try nodes.facts(schema, pointer) {
            if case .types(let types) = fact { branch.types.formIntersection(types) }
            hasFacts = true
        }
        for (key, value) in schema {
            switch key {
            case "$ref": branch.open.append(try nodes.target(of: value, at: pointer))
            case "allOf": branch.open += try nodes.children(value, pointer, key)
            case "anyOf": branch.groups.append(try nodes.children(value, pointer, key).map { [$0] })
            case "oneOf": branch.groups.append(try exactlyOne(nodes.children(value, pointer, key)))
            case "not": branch.groups.append([[try nodes.opposite(of: nodes.child(value, pointer, key))]])
            case "if": branch.groups.append(try condition(value, schema, pointer))
            case "dependentRequired", "dependentSchemas", "dependencies":
                try takeDependencies(key, value, pointer, &branch)
            default: break
            }
        }
        return hasFacts
    }

    private mutating func condition(
        _ value: JSONValue, _ schema: JSONObject, _ pointer: String
    ) throws(GrammarError) -> [[Int]] {
        guard schema["then"] != nil || schema["else"] != nil else { return [[]] }
        let condition = try nodes.child(value, pointer, "if")
        var holds = [condition]
        var fails = [try nodes.opposite(of: condition)]
        if let then = schema["then"] { holds.append(try nodes.child(then, pointer, "then")) }
        if let otherwise = schema["else"] { fails.append(try nodes.child(otherwise, pointer, "else")) }
        return [holds, fails]
    }

    private mutating func takeDependencies(
        _ key: String, _ value: JSONValue, _ pointer: String, _ branch: inout Branch
    ) throws(GrammarError) {
        let place = SchemaPlace(pointer: pointer, keyword: key)
        for (name, member) in try nodes.members(value, pointer, key) {
            let required = try nodes.node(.required(name), place)
            let absent = try nodes.opposite(of: required)
            if case .array = member {
                var all: [Int] = []
                for other in try nodes.strings(member, place) { all.append(try nodes.node(.required(other), place)) }
                branch.groups.append([[absent], all])
            } else {
                branch.groups.append([[absent], [required, try nodes.child(member, pointer, key, name)]])
            }
        }
    }

    /// Exactly one of some schemas: each with the opposites of those that it could meet.
    private mutating func exactlyOne(_ members: [Int]) throws(GrammarError) -> [[Int]] {
        var group: [[Int]] = []
        for (index, member) in members.enumerated() {
            var all = [member]
            for (other, node) in members.enumerated() where other != index {
                if try !excludes(member, node) { all.append(try nodes.opposite(of: node)) }
            }
            group.append(all)
        }
        return group
    }

    /// Whether nothing satisfies two schemas at once, as far as that is easily seen.
    private mutating func excludes(_ one: Int, _ other: Int) throws(GrammarError) -> Bool {
        guard one != other else { return false }
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
            for value in values where try check(value, atoms) { return false }
            return true
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

    /// All that an alternative says.
    mutating func facts(of atoms: [Int]) throws(GrammarError) -> SchemaFacts {
        var facts = SchemaFacts()
        for atom in atoms {
            switch nodes[atom] {
            case .made(let fact, let place): facts.add(fact, place)
            case .written(.object(let schema), let pointer):
                for (fact, place) in try nodes.facts(schema, pointer) { facts.add(fact, place) }
            default: break
            }
        }
        return facts
    }
}
