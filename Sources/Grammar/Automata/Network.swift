/// A nondeterministic automaton over symbols, whose edges may also be rules of their own.
///
/// Symbols are scalars or bytes; beyond the bytes there is one more, `Network.special`, which stands before the bytes of a special
/// token.
struct Network {
    /// Says that a special token begins.
    static let special: UInt32 = 256

    /// A range of symbols leads from a node to a node.
    struct Edge {
        let from: Int32
        let low, high: UInt32
        let to: Int32
    }

    /// A rule leads from a node to a node.
    struct Call {
        let from: Int32
        let rule: Int32
        let to: Int32
    }

    /// How many nodes there are.
    private(set) var count: Int32 = 0
    var edges: [Edge] = []
    /// Steps that read nothing.
    var skips: [(from: Int32, to: Int32)] = []
    var calls: [Call] = []
    /// Where texts begin and end.
    let start: Int32
    let end: Int32

    init() {
        start = 0
        end = 1
        count = 2
    }

    /// A new node.
    mutating func node() -> Int32 {
        count += 1
        return count - 1
    }

    /// A range of symbols as an edge.
    mutating func join(_ from: Int32, _ symbols: ClosedRange<UInt32>, _ to: Int32) {
        edges.append(Edge(from: from, low: symbols.lowerBound, high: symbols.upperBound, to: to))
    }

    /// A step that reads nothing.
    mutating func skip(_ from: Int32, _ to: Int32) {
        if from != to { skips.append((from, to)) }
    }
}

/// Rules by number, and where those that come of schemas stand.
struct PlacedRules {
    var expressions: [Expression] = []
    var places: [Int: SchemaPlace] = [:]
}

/// Which rules stand in place and which are called.
struct RulePlan {
    /// All rules by number.
    let rules: [Expression]
    /// Where rules stand.
    let places: [Int: SchemaPlace]
    /// Whether a rule is an automaton of its own.
    let isCalled: [Bool]
}

extension Network {
    /// Lays an expression between two nodes. No edge ever leads into `from` or out of `to`, so expressions may share them.
    mutating func add(
        _ expression: Expression, from: Int32, to: Int32, _ plan: RulePlan, _ budget: inout Budget
    ) throws(GrammarError) {
        try check(budget)
        switch expression {
        case .empty: skip(from, to)
        case .never: break
        case .bytes(let bytes): add(bytes, from: from, to: to)
        case .byte(let ranges): for range in ranges { join(from, range.symbols, to) }
        case .scalar(let set, let spelling): try add(set, spelling, from: from, to: to, &budget)
        case .text(let automaton, let spelling): try add(automaton, spelling, from: from, to: to, &budget)
        case .marker(let bytes):
            add(bytes, from: from, to: to)
            let inside = node()
            join(from, Self.special...Self.special, inside)
            add(bytes, from: inside, to: to)
        case .sequence(let parts):
            var here = from
            for (index, part) in parts.enumerated() {
                let next = index == parts.count - 1 ? to : node()
                try add(part, from: here, to: next, plan, &budget)
                here = next
            }
            if parts.isEmpty { skip(from, to) }
        case .choice(let parts):
            for part in parts { try add(part, from: from, to: to, plan, &budget) }
        case .repeated(let part, let least, let most):
            try add(part, least, most, from: from, to: to, plan, &budget)
        case .rule(let rule):
            if plan.isCalled[rule] {
                calls.append(Call(from: from, rule: Int32(rule), to: to))
            } else {
                do throws(GrammarError) {
                    try add(plan.rules[rule], from: from, to: to, plan, &budget)
                } catch {
                    throw error.placed(at: plan.places[rule])
                }
            }
        case .graph(let graph):
            let nodes = (0..<graph.count).map { _ in node() }
            skip(from, nodes[0])
            for end in graph.ends.sorted() { skip(nodes[end], to) }
            for edge in graph.edges {
                try add(edge.expression, from: nodes[edge.from], to: nodes[edge.to], plan, &budget)
            }
        }
        try budget.spend(work: 20)
    }

    /// Refuses to grow beyond the limit.
    func check(_ budget: Budget) throws(GrammarError) {
        let most = budget.limits.edges
        if edges.count + skips.count > most { throw GrammarError(beyond: "it needs more than \(most) edges") }
    }

    private mutating func add(_ bytes: [UInt8], from: Int32, to: Int32) {
        if bytes.isEmpty { return skip(from, to) }
        var here = from
        for (index, byte) in bytes.enumerated() {
            let next = index == bytes.count - 1 ? to : node()
            join(here, UInt32(byte)...UInt32(byte), next)
            here = next
        }
    }

    private mutating func add(
        _ set: ScalarSet, _ spelling: Spelling, from: Int32, to: Int32, _ budget: inout Budget
    ) throws(GrammarError) {
        let sequences = spelling.sequences(set)
        for sequence in sequences {
            var here = from
            for (index, choices) in sequence.enumerated() {
                let next = index == sequence.count - 1 ? to : node()
                for range in choices { join(here, range.symbols, next) }
                here = next
            }
        }
        try budget.spend(work: sequences.count * 20)
    }

    private mutating func add(
        _ automaton: Automaton, _ spelling: Spelling, from: Int32, to: Int32, _ budget: inout Budget
    ) throws(GrammarError) {
        guard automaton.count > 0 else { return }
        let first = count
        for _ in 0..<automaton.count { _ = node() }
        skip(from, first)
        for state in 0..<automaton.count {
            if automaton.accepting[state] { skip(first + Int32(state), to) }
            try check(budget)
            for (target, set) in automaton.scalarEdges(from: state) {
                try add(set, spelling, from: first + Int32(state), to: first + target, &budget)
            }
        }
    }

    private mutating func add(
        _ part: Expression, _ least: Int, _ most: Int?, from: Int32, to: Int32, _ plan: RulePlan,
        _ budget: inout Budget
    ) throws(GrammarError) {
        if let most, most < least { return }
        var here = from
        for _ in 0..<least {
            let next = node()
            try add(part, from: here, to: next, plan, &budget)
            here = next
        }
        guard let most else {
            let loop = node()
            skip(here, loop)
            try add(part, from: loop, to: loop, plan, &budget)
            return skip(loop, to)
        }
        for _ in least..<most {
            skip(here, to)
            let next = node()
            try add(part, from: here, to: next, plan, &budget)
            here = next
        }
        skip(here, to)
    }
}

extension ClosedRange<UInt8> {
    /// These bytes as symbols.
    fileprivate var symbols: ClosedRange<UInt32> { UInt32(lowerBound)...UInt32(upperBound) }
}
