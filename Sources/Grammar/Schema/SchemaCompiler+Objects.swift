internal import JSON

extension SchemaCompiler {
    /// A kind of member that no schema names: how its key may read, and which schemas hold for its value.
    private struct FreeMember {
        let key: Automaton
        let value: [Int]
    }

    /// The objects that some facts allow: members that schemas name in their order, then all others.
    mutating func object(_ facts: SchemaFacts) throws(GrammarError) -> Expression {
        if let most = facts.maxProperties, most < facts.minProperties { return .never }
        guard let keys = try named(facts) else { return .never }
        let free = try freeMembers(facts, named: keys)
        return try object(facts, keys, free)
    }

    /// Keys that schemas name, in order, and those that must be there besides; nil where one must be there that may not.
    private mutating func named(_ facts: SchemaFacts) throws(GrammarError) -> [String]? {
        var keys: [String] = []
        var seen: Set<[UInt8]> = []
        for key in facts.objects.flatMap({ $0.properties.map(\.key) }) + facts.required
        where seen.insert(Array(key.utf8)).inserted {
            var isAllowed = true
            for node in facts.names where try !schemas.check(.string(key), [node]) { isAllowed = false }
            if isAllowed {
                keys.append(key)
            } else if facts.requires(key) {
                return nil
            }
        }
        return keys
    }

    /// The members that may come besides, by the patterns that their keys match.
    private mutating func freeMembers(
        _ facts: SchemaFacts, named keys: [String]
    ) throws(GrammarError) -> [FreeMember] {
        var regexes: [String] = []
        for rule in facts.objects {
            for (regex, _) in rule.patterns where !regexes.contains(regex) { regexes.append(regex) }
        }
        guard regexes.count <= 8 else { throw facts.place.refusal("more than 8 patterns of keys cannot be had") }
        // Where nothing else may come, nothing of the rest is needed.
        let isOpen = try !schemas.isImpossible(facts.member("\u{0}", patternMatches: { _ in false }), depth: 0)
        if regexes.isEmpty && !isOpen { return [] }
        var all = Automaton.anything
        let names = Set(facts.objects.flatMap { $0.properties.map(\.key) } + keys)
        if !names.isEmpty {
            let literals = try Automaton.literals(names.sorted(), &schemas.budget)
            all = try all.subtracting(literals, &schemas.budget)
        }
        for node in facts.names { all = try all.intersection(keyAutomaton(node, facts), &schemas.budget) }
        var parts: [(matched: Set<String>, key: Automaton)] = [([], all)]
        for regex in regexes {
            let match = try schemas.automaton(
                of: regex, SchemaPlace(pointer: facts.place.pointer, keyword: "patternProperties"))
            var next: [(matched: Set<String>, key: Automaton)] = []
            for part in parts {
                let inside = try part.key.intersection(match, &schemas.budget)
                let outside = try part.key.subtracting(match, &schemas.budget)
                if !inside.isNever { next.append((part.matched.union([regex]), inside)) }
                if !outside.isNever { next.append((part.matched, outside)) }
            }
            parts = next
        }
        var free: [FreeMember] = []
        for part in parts {
            let value = facts.member("\u{0}") { part.matched.contains($0) }
            if try !schemas.isImpossible(value, depth: 0) { free.append(FreeMember(key: part.key, value: value)) }
        }
        return free
    }

    /// The keys that a schema for keys allows.
    private mutating func keyAutomaton(_ node: Int, _ facts: SchemaFacts) throws(GrammarError) -> Automaton {
        var all = Automaton.never
        for atoms in try schemas.alternatives(of: [node]) {
            let facts = try schemas.facts(of: atoms)
            guard facts.types.contains(.string) else { continue }
            all = try all.union(text(facts, atoms), &schemas.budget)
        }
        return all
    }

    private mutating func object(
        _ facts: SchemaFacts, _ keys: [String], _ free: [FreeMember]
    ) throws(GrammarError) -> Expression {
        var graph = MemberGraph(least: facts.minProperties, most: facts.maxProperties, layout: layout)
        let named = facts.objects.reduce(0) { $0 + $1.properties.count }
        for key in keys {
            // Each is looked for among all.
            try schemas.budget.spend(work: named)
            let value = try schemas.member(key, facts)
            let member = Expression.sequence([
                .literal(JSON.encodeToString(.string(key))), layout.colon, .rule(try rule(for: value)),
            ])
            graph.add(member, isRequired: facts.requires(key))
        }
        var others: [Expression] = []
        for member in free {
            others.append(
                .sequence([
                    .literal("\""), .text(member.key, .quoted), .literal("\""), layout.colon,
                    .rule(try rule(for: member.value)),
                ]))
        }
        graph.close(others)
        try schemas.budget.spend(states: graph.graph.count)
        return .sequence([.literal("{"), layout.gap, .graph(graph.graph), .literal("}")])
    }
}

/// The ways through an object's members. A node knows which member is next and how many there were, as far as that matters.
private struct MemberGraph {
    private(set) var graph = ExpressionGraph()
    private let least: Int
    private let most: Int?
    /// Beyond this many members it does not matter how many there were.
    private let cap: Int
    private let layout: JSONLayout
    /// The node of each count of members; nil where none leads there.
    private var nodes: [Int?]

    init(least: Int, most: Int?, layout: JSONLayout) {
        self.least = least
        self.most = most
        self.layout = layout
        cap = max(least, 1)
        nodes = [0]
    }

    /// The count behind one more member; nil where there may be no more.
    private func after(_ count: Int) -> Int? {
        if let most { return count < most ? count + 1 : nil }
        return min(count + 1, cap)
    }

    /// Adds a member that comes next, if it comes.
    mutating func add(_ member: Expression, isRequired: Bool) {
        var next: [Int?] = []
        var begun: [Int: Int] = [:]
        for (count, node) in nodes.enumerated() {
            guard let node else { continue }
            if !isRequired { skip(node, count, &next) }
            if let after = after(count) { begin(node, count, after, &begun) }
        }
        for (count, node) in begun.sorted(by: { $0.key < $1.key }) {
            let target = Self.node(count, &next, &graph)
            graph.join(node, member, target)
        }
        nodes = next
    }

    /// Lets others come in any number, and the object end.
    mutating func close(_ others: [Expression]) {
        var count = 0
        while count < nodes.count {
            if let node = nodes[count], !others.isEmpty, let after = after(count) {
                let inside = graph.node()
                graph.join(node, count == 0 ? .empty : layout.comma, inside)
                let next = Self.node(after, &nodes, &graph)
                graph.join(inside, others.count == 1 ? others[0] : .choice(others), next)
            }
            count += 1
        }
        let end = graph.node()
        for (count, node) in nodes.enumerated() where count >= least {
            // Between the brackets of an empty object stands one gap, not two.
            if let node { graph.join(node, count == 0 ? .empty : layout.gap, end) }
        }
        graph.ends = [end]
    }

    private static func node(_ count: Int, _ nodes: inout [Int?], _ graph: inout ExpressionGraph) -> Int {
        while nodes.count <= count { nodes.append(nil) }
        if let node = nodes[count] { return node }
        let node = graph.node()
        nodes[count] = node
        return node
    }

    private mutating func skip(_ node: Int, _ count: Int, _ next: inout [Int?]) {
        let target = Self.node(count, &next, &graph)
        graph.join(node, .empty, target)
    }

    private mutating func begin(_ node: Int, _ count: Int, _ after: Int, _ begun: inout [Int: Int]) {
        let inside = begun[after] ?? graph.node()
        begun[after] = inside
        graph.join(node, count == 0 ? .empty : layout.comma, inside)
    }
}
