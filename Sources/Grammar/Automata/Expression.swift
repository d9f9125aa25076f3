/// What all sources are turned into: a set of texts, put together from bytes.
indirect enum Expression: Sendable {
    /// The empty text.
    case empty
    /// No text at all.
    case never
    /// These bytes.
    case bytes([UInt8])
    /// One byte of these.
    case byte([ClosedRange<UInt8>])
    /// One scalar of a set.
    case scalar(ScalarSet, Spelling)
    /// A text that an automaton over scalars takes.
    case text(Automaton, Spelling)
    /// Bytes, or the special token that is written like them.
    case marker([UInt8])
    /// One after the other.
    case sequence([Expression])
    /// One of several.
    case choice([Expression])
    /// Again and again; nil: without end.
    case repeated(Expression, from: Int, through: Int?)
    /// A rule of its own, by its number.
    case rule(Int)
    /// A way through a graph.
    case graph(ExpressionGraph)

    /// The UTF-8 of a text.
    static func literal(_ text: String) -> Expression { .bytes(Array(text.utf8)) }

    /// Once or not at all.
    static func optional(_ expression: Expression) -> Expression { .repeated(expression, from: 0, through: 1) }
}

/// Nodes joined by expressions.
struct ExpressionGraph: Sendable {
    /// A step from a node to a node.
    struct Edge: Sendable {
        let from: Int
        let expression: Expression
        let to: Int
    }

    /// How many nodes there are; the first is where every way begins.
    private(set) var count = 1
    /// All steps.
    private(set) var edges: [Edge] = []
    /// Where ways may end.
    var ends: Set<Int> = []

    /// A new node.
    mutating func node() -> Int {
        count += 1
        return count - 1
    }

    /// The same graph with other expressions.
    func mapped(_ replacement: (Expression) -> Expression) -> ExpressionGraph {
        var graph = self
        graph.edges = edges.map { Edge(from: $0.from, expression: replacement($0.expression), to: $0.to) }
        return graph
    }

    /// Joins two nodes.
    mutating func join(_ from: Int, _ expression: Expression, _ to: Int) {
        edges.append(Edge(from: from, expression: expression, to: to))
    }
}

extension Expression {
    /// The rules that are named in it, and how often a network of it has each.
    func visitRules(times: Int = 1, _ visit: (_ rule: Int, _ times: Int) -> Void) {
        switch self {
        case .empty, .never, .bytes, .byte, .scalar, .text, .marker: break
        case .sequence(let parts), .choice(let parts): for part in parts { part.visitRules(times: times, visit) }
        case .repeated(let part, let least, let most):
            part.visitRules(times: min(1 << 20, times * min(1 << 20, max(least, most ?? least + 1))), visit)
        case .rule(let rule): visit(rule, times)
        case .graph(let graph): for edge in graph.edges { edge.expression.visitRules(times: times, visit) }
        }
    }

    /// About how many nodes a network of it has, where a rule counts what the caller says.
    func size(_ rule: (Int) -> Int) -> Int {
        let most = 1 << 30
        switch self {
        case .empty, .never: return 0
        case .bytes(let bytes): return bytes.count
        case .byte: return 1
        case .scalar(let set, let spelling): return set.ranges.count * (spelling == .quoted ? 12 : 2)
        case .text(let automaton, let spelling): return automaton.count * (spelling == .quoted ? 24 : 4)
        case .marker(let bytes): return 2 * bytes.count + 1
        case .sequence(let parts), .choice(let parts): return parts.reduce(1) { min(most, $0 + $1.size(rule)) }
        case .repeated(let part, let least, let greatest):
            let times = max(least, greatest ?? least + 1)
            let (size, overflows) = (part.size(rule) + 1).multipliedReportingOverflow(by: times)
            return overflows ? most : min(most, size)
        case .rule(let number): return rule(number)
        case .graph(let graph): return graph.edges.reduce(graph.count) { min(most, $0 + $1.expression.size(rule)) }
        }
    }
}
