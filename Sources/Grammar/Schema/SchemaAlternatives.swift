internal import JSON

/// Takes schemas that hold together apart: each alternative that comes out is a list of nodes whose facts hold together, and nothing
/// else.
struct SchemaAlternatives {
    var nodes: SchemaNodes
    private var known: [[Int]: [[Int]]] = [:]
    /// What the automata of patterns and all else may cost.
    var budget: Budget
    private var patterns: [String: Automaton] = [:]

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
            throw error.of(regex, at: place)
        }
    }

    /// The texts of a format.
    mutating func automaton(ofFormat name: String, _ place: SchemaPlace) throws(GrammarError) -> Automaton {
        guard let automaton = try SchemaFormat.automaton(name) else {
            throw place.refusal("the format \(name) cannot be had")
        }
        try budget.spend(states: automaton.count)
        return automaton
    }

    /// A node that is still to be looked at, and the schemas around it that want to know what it looks at.
    private struct OpenNode: Hashable {
        let node: Int
        let owners: [Int]
    }

    /// A choice between lists of nodes.
    private struct Group {
        let choices: [[Int]]
        let owners: [Int]
    }

    /// Alternatives that are being built.
    private struct Branch {
        var open: [OpenNode]
        var seen: Set<OpenNode> = []
        var atoms: [Int] = []
        var types = SchemaTypes.all
        /// Choices that are still to be made.
        var groups: [Group] = []
        var evaluations: [Int: SchemaEvaluation] = [:]

        mutating func choose(_ choices: [[Int]], _ owners: [Int] = []) {
            groups.append(Group(choices: choices, owners: owners))
        }

        mutating func add(_ atom: Int) {
            if !atoms.contains(atom) { atoms.append(atom) }
        }
    }

    /// The alternatives of schemas that hold together.
    mutating func alternatives(of conjunction: [Int]) throws(GrammarError) -> [[Int]] {
        if let known = known[conjunction] { return known }
        var found: [[Int]] = []
        try expand(Branch(open: conjunction.map { OpenNode(node: $0, owners: []) }), &found)
        known[conjunction] = found
        return found
    }

    /// Forgets them, where many are asked for once.
    mutating func forgetAlternatives(of conjunction: [Int]) { known[conjunction] = nil }

    private mutating func expand(_ branch: Branch, _ found: inout [[Int]]) throws(GrammarError) {
        var branch = branch
        guard try settle(&branch) else { return }
        guard let group = branch.groups.first else {
            for owner in branch.evaluations.keys.sorted() {
                branch.atoms += try nodes.leftovers(of: branch.evaluations[owner]!)
            }
            if !found.contains(branch.atoms) { found.append(branch.atoms) }
            let most = budget.limits.alternatives
            guard found.count <= most else {
                throw GrammarError(beyond: "it falls apart into more than \(most) alternatives")
            }
            return
        }
        branch.groups.removeFirst()
        try budget.spend(work: 50)
        for choice in group.choices {
            var next = branch
            next.open = choice.map { OpenNode(node: $0, owners: group.owners) }
            try expand(next, &found)
        }
    }

    /// Goes through the open nodes of a branch; false where they contradict each other.
    private mutating func settle(_ branch: inout Branch) throws(GrammarError) -> Bool {
        var at = 0
        while at < branch.open.count {
            let next = branch.open[at]
            at += 1
            guard branch.seen.insert(next).inserted else { continue }
            switch nodes[next.node] {
            case .made(let fact, _):
                if case .types(let types) = fact { branch.types.formIntersection(types) }
                branch.add(next.node)
            // What does not hold looks at nothing.
            case .opposite(let inner): branch.choose(try nodes.alternatives(oppositeOf: inner))
            case .choice(let list): branch.choose(list.map { [$0] }, next.owners)
            case .written(.bool(let flag), _): if !flag { return false }
            case .written(let value, let site):
                guard case .object(let schema) = value else { return false }
                if try take(schema, site, next, &branch) { branch.add(next.node) }
            }
        }
        branch.open = []
        return !branch.types.isEmpty
    }

    /// Takes what joins schemas out of one.
    /// - Returns: Whether it has facts of its own.
    private mutating func take(
        _ schema: JSONObject, _ site: SchemaSite, _ open: OpenNode, _ branch: inout Branch
    ) throws(GrammarError) -> Bool {
        var hasFacts = false
        for (fact, _) in try nodes.facts(schema, site) {
            if case .types(let types) = fact { branch.types.formIntersection(types) }
            hasFacts = true
        }
        let owners = try evaluate(schema, site, open, &branch)
        for (key, value) in schema {
            switch key {
            case "$ref", "$dynamicRef", "$recursiveRef":
                branch.open.append(OpenNode(node: try nodes.target(of: value, at: site, key), owners: owners))
            case "allOf":
                for child in try nodes.children(value, site, key) {
                    branch.open.append(OpenNode(node: child, owners: owners))
                }
            case "anyOf":
                let members = try nodes.children(value, site, key)
                let choices = owners.isEmpty ? members.map { [$0] } : try someOf(members, site.place(key))
                branch.choose(choices, owners)
            case "oneOf": branch.choose(try exactlyOne(nodes.children(value, site, key)), owners)
            case "not": branch.choose([[try nodes.opposite(of: nodes.child(value, site, key))]])
            case "if": branch.choose(try condition(value, schema, site, isWanted: !owners.isEmpty), owners)
            case "dependentRequired", "dependentSchemas", "dependencies":
                for choices in try dependencies(key, value, site) { branch.choose(choices, owners) }
            default: break
            }
        }
        return hasFacts
    }

    /// Notes what a schema looks at for those that want to know.
    /// - Returns: Those that want to know what its parts look at.
    private mutating func evaluate(
        _ schema: JSONObject, _ site: SchemaSite, _ open: OpenNode, _ branch: inout Branch
    ) throws(GrammarError) -> [Int] {
        var owners = open.owners
        if SchemaEvaluation.isWanted(by: schema), !owners.contains(open.node) {
            owners.append(open.node)
            if branch.evaluations[open.node] == nil {
                branch.evaluations[open.node] = SchemaEvaluation(owner: open.node)
            }
        }
        for owner in owners {
            try nodes.note(schema, site, node: open.node, in: &branch.evaluations[owner]!)
        }
        return owners
    }

    private mutating func condition(
        _ value: JSONValue, _ schema: JSONObject, _ site: SchemaSite, isWanted: Bool
    ) throws(GrammarError) -> [[Int]] {
        guard schema["then"] != nil || schema["else"] != nil || isWanted else { return [[]] }
        let condition = try nodes.child(value, site, "if")
        var holds = [condition]
        var fails = [try nodes.opposite(of: condition)]
        if let then = schema["then"] { holds.append(try nodes.child(then, site, "then")) }
        if let otherwise = schema["else"] { fails.append(try nodes.child(otherwise, site, "else")) }
        return [holds, fails]
    }

    /// A choice for each member that others depend on.
    private mutating func dependencies(
        _ key: String, _ value: JSONValue, _ site: SchemaSite
    ) throws(GrammarError) -> [[[Int]]] {
        let place = site.place(key)
        var groups: [[[Int]]] = []
        for (name, member) in try nodes.members(value, site, key) {
            let required = try nodes.node(.required(name), place)
            let absent = try nodes.opposite(of: required)
            if case .array = member {
                var all: [Int] = []
                for other in try nodes.strings(member, place) { all.append(try nodes.node(.required(other), place)) }
                groups.append([[absent], all])
            } else {
                groups.append([[absent], [required, try nodes.child(member, site, key, name)]])
            }
        }
        return groups
    }

    /// Exactly one of some schemas: each with the opposites of those that it could meet.
    private mutating func exactlyOne(_ members: [Int]) throws(GrammarError) -> [[Int]] {
        // For each, the places of those that it could meet.
        var meetings = [[Int]](repeating: [], count: members.count)
        for (place, one) in members.enumerated() {
            for (other, node) in members.enumerated().dropFirst(place + 1) where try !excludes(one, node) {
                meetings[place].append(other)
                meetings[other].append(place)
            }
        }
        var group: [[Int]] = []
        for (place, member) in members.enumerated() {
            var all = [member]
            for other in meetings[place] { all.append(try nodes.opposite(of: members[other])) }
            group.append(all)
        }
        return group
    }

    /// At least one of some schemas, where it matters exactly which of them hold.
    private mutating func someOf(_ members: [Int], _ place: SchemaPlace) throws(GrammarError) -> [[Int]] {
        guard members.count <= 8 else {
            throw place.refusal("more than 8 schemas cannot be had beside unevaluatedProperties and unevaluatedItems")
        }
        var group: [[Int]] = []
        for set in 1..<(1 << members.count) {
            var all: [Int] = []
            var isPossible = true
            for (place, node) in members.enumerated() where set >> place & 1 == 1 {
                for other in all where try excludes(other, node) { isPossible = false }
                all.append(node)
            }
            guard isPossible else { continue }
            let holding = all
            for (place, node) in members.enumerated() where set >> place & 1 == 0 {
                var isExcluded = false
                for other in holding where try excludes(other, node) { isExcluded = true }
                if !isExcluded { all.append(try nodes.opposite(of: node)) }
            }
            group.append(all)
        }
        return group
    }

    /// All that an alternative says.
    mutating func facts(of atoms: [Int]) throws(GrammarError) -> SchemaFacts {
        var facts = SchemaFacts()
        for atom in atoms {
            switch nodes[atom] {
            case .made(let fact, let place): facts.add(fact, place)
            case .written(.object(let schema), let site):
                if atom == atoms.first { facts.place = site.place(nil) }
                for (fact, place) in try nodes.facts(schema, site) { facts.add(fact, place) }
            default: break
            }
        }
        return facts
    }
}
