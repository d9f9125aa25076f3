internal import JSON

extension SchemaCompiler {
    /// The arrays that some facts allow.
    mutating func array(_ facts: SchemaFacts) throws(GrammarError) -> Expression {
        if let most = facts.maxItems, most < facts.minItems { return .never }
        if facts.isUnique, facts.maxItems ?? 2 > 1 { return try uniqueArray(facts) }
        let prefix = facts.arrays.map(\.prefix.count).max() ?? 0
        // Behind so many elements the next is like the last.
        let cap = facts.maxItems ?? max(prefix, facts.minItems, 1, facts.contains.map(\.from).max() ?? 0)
        var graph = ElementGraph(layout: layout)
        var open = [ElementState(count: 0, contained: facts.contains.map { _ in 0 })]
        _ = graph.node(open[0])
        while let state = open.popLast() {
            try schemas.budget.spend(states: 1)
            if state.count >= facts.minItems, zip(state.contained, facts.contains).allSatisfy({ $0 >= $1.least }) {
                graph.end(state)
            }
            if let most = facts.maxItems, state.count >= most { continue }
            for (schemas, next) in try elements(behind: state, facts, cap: cap) {
                if graph.join(state, .rule(try rule(for: schemas)), next) { open.append(next) }
            }
        }
        return graph.expression
    }

    /// What may come behind some elements: schemas that hold for the next, and what is then so.
    private mutating func elements(
        behind state: ElementState, _ facts: SchemaFacts, cap: Int
    ) throws(GrammarError) -> [(schemas: [Int], next: ElementState)] {
        var found = [
            (
                schemas: facts.element(state.count),
                next: ElementState(count: min(state.count + 1, cap), contained: state.contained)
            )
        ]
        for (index, (node, from, least, most)) in facts.contains.enumerated() where state.count >= from {
            var next: [(schemas: [Int], next: ElementState)] = []
            let count = state.contained[index]
            for choice in found {
                if let most {
                    // Each element is one or is none, so that they can be counted.
                    let opposite = try schemas.nodes.opposite(of: node)
                    next.append((choice.schemas + [opposite], choice.next))
                    if count < most {
                        var counted = choice.next
                        counted.contained[index] = count + 1
                        next.append((choice.schemas + [node], counted))
                    }
                } else {
                    next.append(choice)
                    if count < least {
                        var counted = choice.next
                        counted.contained[index] = count + 1
                        next.append((choice.schemas + [node], counted))
                    }
                }
            }
            found = next
        }
        return found
    }

    // MARK: Unique elements

    /// Arrays of different elements, where there are few of them: nodes know which were there.
    private mutating func uniqueArray(_ facts: SchemaFacts) throws(GrammarError) -> Expression {
        let place = SchemaPlace(pointer: facts.place.pointer, keyword: "uniqueItems")
        let prefix = facts.arrays.map(\.prefix.count).max() ?? 0
        var choices: [[JSONValue]] = []
        for index in 0...prefix {
            if let most = facts.maxItems, index >= most { break }
            guard let values = try values(of: facts.element(index)) else {
                throw place.refusal(
                    "can be had where the elements are few values only (enum, const, boolean, null, bounded integers)")
            }
            choices.append(values)
        }
        var all: [JSONValue] = []
        for value in choices.joined() where !all.holds(value) { all.append(value) }
        guard all.count <= 10 else {
            throw place.refusal("can be had for up to 10 different values, not for \(all.count)")
        }
        var contained: [[Bool]] = []
        for (node, from, _, _) in facts.contains {
            // Nodes know which elements were there, not where.
            if from > 0 { throw place.refusal("cannot be had beside the opposite of items behind others") }
            var row: [Bool] = []
            for value in all { row.append(try schemas.check(value, [node])) }
            contained.append(row)
        }
        var graph = ElementGraph(layout: layout)
        var open = [ElementState(count: 0, contained: [0])]
        _ = graph.node(open[0])
        while let state = open.popLast() {
            try schemas.budget.spend(states: 1)
            let taken = state.contained[0]
            let counts = contained.map { row in row.indices.filter { row[$0] && taken >> $0 & 1 == 1 }.count }
            let isEnough = zip(counts, facts.contains).allSatisfy { $0 >= $1.least && $0 <= $1.most ?? .max }
            if state.count >= facts.minItems, isEnough { graph.end(state) }
            if let most = facts.maxItems, state.count >= most { continue }
            for value in choices[min(state.count, choices.count - 1)] {
                let bit = all.firstIndex { $0.isSame(as: value) }!
                if taken >> bit & 1 == 1 { continue }
                let next = ElementState(count: state.count + 1, contained: [taken | 1 << bit])
                if graph.join(state, literal(value), next) { open.append(next) }
            }
        }
        return graph.expression
    }

    /// All values that satisfy some schemas; nil where they are not few.
    private mutating func values(of conjunction: [Int]) throws(GrammarError) -> [JSONValue]? {
        var values: [JSONValue] = []
        for atoms in try schemas.alternatives(of: conjunction) {
            let facts = try schemas.facts(of: atoms)
            var candidates = facts.values ?? []
            if facts.values == nil {
                guard let numbers = Self.fewIntegers(facts) else { return nil }
                candidates = [.null, .bool(true), .bool(false)] + numbers
            }
            for value in candidates where !values.holds(value) {
                if try schemas.check(value, atoms) { values.append(value) }
            }
        }
        return values
    }
}

extension SchemaCompiler {
    /// The integers between the bounds, where they are ten at most; nil where values of other kinds may come, or more of these.
    fileprivate static func fewIntegers(_ facts: SchemaFacts) -> [JSONValue]? {
        guard facts.types.subtracting([.null, .boolean, .integer]).isEmpty else { return nil }
        guard facts.types.contains(.integer) else { return [] }
        guard let low = facts.lower?.bound, let high = facts.upper?.bound, low.isInteger, high.isInteger,
            let first = Int64(low.text), let last = Int64(high.text), first <= last
        else { return nil }
        let (distance, overflows) = last.subtractingReportingOverflow(first)
        // The bounds themselves may be excluded.
        return overflows || distance > 11 ? nil : (first...last).map { .int($0) }
    }
}

/// What matters of the elements that an array has so far.
private struct ElementState: Hashable {
    /// How many there are.
    var count: Int
    /// How many satisfied each schema that some have to, or which values there were.
    var contained: [Int]
}

/// The ways through an array's elements.
private struct ElementGraph {
    private var graph = ExpressionGraph()
    private var nodes: [ElementState: Int] = [:]
    private var ends: [ElementState] = []
    private let layout: JSONLayout

    init(layout: JSONLayout) { self.layout = layout }

    /// The node of a state.
    mutating func node(_ state: ElementState) -> Int {
        if let node = nodes[state] { return node }
        let node = nodes.isEmpty ? 0 : graph.node()
        nodes[state] = node
        return node
    }

    /// Lets an element follow.
    /// - Returns: Whether the state behind it is new.
    mutating func join(_ state: ElementState, _ element: Expression, _ next: ElementState) -> Bool {
        let isNew = nodes[next] == nil
        let expression = state.isEmpty ? element : .sequence([layout.comma, element])
        let (from, to) = (node(state), node(next))
        graph.join(from, expression, to)
        return isNew
    }

    /// Lets the array end.
    mutating func end(_ state: ElementState) { ends.append(state) }

    /// The arrays.
    var expression: Expression {
        var graph = graph
        let end = graph.node()
        for state in ends { graph.join(nodes[state]!, state.isEmpty ? .empty : layout.gap, end) }
        graph.ends = [end]
        return .sequence([.literal("["), layout.gap, .graph(graph), .literal("]")])
    }
}

extension ElementState {
    fileprivate var isEmpty: Bool { count == 0 }
}
