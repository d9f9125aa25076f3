/// A deterministic automaton over symbols. State 0 is where texts begin; an automaton without states takes none.
struct Automaton: Sendable {
    /// A rule that may begin in a state, and the state behind it.
    struct Call: Hashable, Sendable {
        let rule: Int32
        let to: Int32
    }

    /// How symbols fall into classes that no state tells apart.
    let classes: SymbolClasses
    /// The state that each state has for each class; -1: none.
    var next: [Int32]
    /// Where texts may end.
    var accepting: [Bool]
    /// Rules that may begin in each state.
    var calls: [[Call]]

    /// How many states there are.
    var count: Int { accepting.count }

    /// An automaton that takes no text.
    static let never = Automaton(classes: SymbolClasses(edges: []), next: [], accepting: [], calls: [])

    /// Takes every text of scalars.
    static let anything = of(.all, least: 0, most: nil)

    /// The texts of so many scalars of a set.
    static func of(_ set: ScalarSet, least: Int, most: Int?) -> Automaton {
        let classes = SymbolClasses(
            edges: set.ranges.map { Network.Edge(from: 0, low: $0.lowerBound, high: $0.upperBound, to: 0) })
        let states = (most ?? least) + 1
        var next = [Int32](repeating: -1, count: states * classes.count)
        for state in 0..<states {
            let target = state + 1 < states ? state + 1 : most == nil ? state : -1
            for range in set.ranges {
                next[state * classes.count + classes.index(of: range.lowerBound)] = Int32(target)
            }
        }
        let accepting = (0..<states).map { $0 >= least }
        return Automaton(
            classes: classes, next: next, accepting: accepting, calls: Array(repeating: [], count: states))
    }

    /// The state behind a symbol; -1: none.
    func step(_ state: Int32, _ symbol: UInt32) -> Int32 {
        next[Int(state) * classes.count + classes.index(of: symbol)]
    }

    /// Whether it takes a text.
    func takes(_ text: String) -> Bool {
        guard count > 0 else { return false }
        var state: Int32 = 0
        for scalar in text.unicodeScalars {
            state = step(state, scalar.value)
            if state < 0 { return false }
        }
        return accepting[Int(state)]
    }

    /// The scalars that lead from a state to each of the others, in the order of the first of them.
    func scalarEdges(from state: Int) -> [(target: Int32, set: ScalarSet)] {
        var order: [Int32] = []
        var ranges: [Int32: [ClosedRange<UInt32>]] = [:]
        for index in 0..<classes.count {
            let target = next[state * classes.count + index]
            guard target >= 0, let symbols = classes.scalars(index) else { continue }
            if ranges[target] == nil { order.append(target) }
            ranges[target, default: []].append(symbols)
        }
        return order.map { ($0, ScalarSet(ranges[$0]!)) }
    }
}

/// Symbols cut into ranges.
struct SymbolClasses: Sendable, Equatable {
    /// The first symbol of each class; the first class begins at 0, the last has no end.
    let starts: [UInt32]

    /// The coarsest classes that tell edges apart.
    init(edges: [Network.Edge]) {
        var bounds: Set<UInt32> = [0]
        for edge in edges {
            bounds.insert(edge.low)
            bounds.insert(edge.high + 1)
        }
        starts = bounds.sorted()
    }

    /// The coarsest classes that are as fine as two others.
    init(_ one: SymbolClasses, _ other: SymbolClasses) {
        starts = Set(one.starts + other.starts).sorted()
    }

    /// How many there are.
    var count: Int { starts.count }

    /// The class of a symbol.
    func index(of symbol: UInt32) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= symbol { low = middle } else { high = middle }
        }
        return low
    }

    /// The scalars of a class; nil where it has none.
    func scalars(_ index: Int) -> ClosedRange<UInt32>? {
        let last = index + 1 < starts.count ? starts[index + 1] - 1 : 0x10FFFF
        return starts[index] > 0x10FFFF ? nil : starts[index]...min(last, 0x10FFFF)
    }
}
