/// Makes a network deterministic by the sets of nodes that it may be in.
struct Determinizer {
    private struct Edge {
        let low, high: Int32
        let to: Int32
    }

    private let classes: SymbolClasses
    private let end: Int32
    private let start: Int32
    private var edges: Rows<Edge>
    private var skips: Rows<Int32>
    private var calls: Rows<Automaton.Call>
    /// In which closure each node was met last.
    private var met: [Int32]
    private var round: Int32 = 0
    private var sets: [[Int32]] = []
    private var numbers: [NodeList: Int32] = [:]
    /// The state of each list of nodes that an edge leads to, so that its closure is computed once.
    private var known: [NodeList: Int32] = [:]

    /// Prepares for a network whose symbols fall into these classes.
    init(_ network: Network, classes: SymbolClasses) {
        self.classes = classes
        start = network.start
        end = network.end
        let nodes = Int(network.count)
        edges = Rows(nodes, network.edges, from: \.from) {
            Edge(low: Int32(classes.index(of: $0.low)), high: Int32(classes.index(of: $0.high)), to: $0.to)
        }
        skips = Rows(nodes, network.skips, from: \.from) { $0.to }
        calls = Rows(nodes, network.calls, from: \.from) { Automaton.Call(rule: $0.rule, to: $0.to) }
        met = Array(repeating: -1, count: nodes)
    }

    /// The automaton of all sets that are reached.
    mutating func run(_ budget: inout Budget) throws(GrammarError) -> Automaton {
        var automaton = Automaton(classes: classes, next: [], accepting: [], calls: [])
        _ = try state([start], &budget)
        var done = 0
        var targets = [[Int32]](repeating: [], count: classes.count)
        // Classes that lead somewhere.
        var touched: [Int] = []
        while done < sets.count {
            let set = sets[done]
            automaton.accepting.append(set.contains(end))
            var called: [(rule: Int32, to: [Int32])] = []
            for index in touched { targets[index].removeAll(keepingCapacity: true) }
            touched.removeAll(keepingCapacity: true)
            var looked = 0
            for node in set {
                for edge in edges[node] {
                    for index in Int(edge.low)...Int(edge.high) {
                        if targets[index].isEmpty { touched.append(index) }
                        targets[index].append(edge.to)
                    }
                    looked += Int(edge.high - edge.low) + 1
                }
                for call in calls[node] {
                    if let place = called.firstIndex(where: { $0.rule == call.rule }) {
                        called[place].to.append(call.to)
                    } else {
                        called.append((call.rule, [call.to]))
                    }
                }
            }
            try budget.spend(work: looked + classes.count / 8 + 1)
            try addRow(targets, &touched, to: &automaton, &budget)
            var row: [Automaton.Call] = []
            for call in called { row.append(Automaton.Call(rule: call.rule, to: try state(call.to, &budget))) }
            automaton.calls.append(row)
            done += 1
        }
        return automaton
    }

    /// Adds the states that classes lead to.
    private mutating func addRow(
        _ targets: [[Int32]], _ touched: inout [Int], to automaton: inout Automaton, _ budget: inout Budget
    ) throws(GrammarError) {
        let row = automaton.next.count
        automaton.next.append(contentsOf: repeatElement(-1, count: classes.count))
        touched.sort()
        // Most neighbours lead to the same.
        var last: (index: Int, state: Int32)?
        for index in touched {
            if let last, targets[last.index] == targets[index] {
                automaton.next[row + index] = last.state
            } else {
                let state = try state(targets[index], &budget)
                automaton.next[row + index] = state
                last = (index, state)
            }
        }
    }

    /// The number of the set of all nodes that are reached from some without reading anything.
    private mutating func state(_ nodes: [Int32], _ budget: inout Budget) throws(GrammarError) -> Int32 {
        let list = NodeList(nodes: nodes)
        if let number = known[list] { return number }
        round += 1
        var open = nodes
        var set: [Int32] = []
        while let node = open.popLast() {
            guard met[Int(node)] != round else { continue }
            met[Int(node)] = round
            if node == end || !edges[node].isEmpty || !calls[node].isEmpty { set.append(node) }
            open.append(contentsOf: skips[node])
        }
        set.sort()
        try budget.spend(work: set.count)
        let number: Int32
        let members = NodeList(nodes: set)
        if let old = numbers[members] {
            number = old
        } else {
            try budget.spend(states: 1)
            number = Int32(sets.count)
            numbers[members] = number
            sets.append(set)
        }
        known[list] = number
        return number
    }
}

/// Nodes as a key, hashed as one number: there are many, and some are long.
private struct NodeList: Hashable {
    let nodes: [Int32]

    func hash(into hasher: inout Hasher) {
        var number: UInt64 = 0
        for node in nodes {
            number = (number ^ UInt64(UInt32(bitPattern: node))) &* 0x9E37_79B9_7F4A_7C15 &+ number >> 29
        }
        hasher.combine(number)
    }
}

/// Lists that belong to nodes, one behind the other.
private struct Rows<Element> {
    private var starts: [Int32]
    private var elements: [Element]

    init<Source>(
        _ count: Int, _ sources: [Source], from: (Source) -> Int32, _ make: (Source) -> Element
    ) {
        starts = Array(repeating: 0, count: count + 1)
        for source in sources { starts[Int(from(source)) + 1] += 1 }
        for index in 0..<count { starts[index + 1] += starts[index] }
        var places = starts
        var order = [Int32](repeating: 0, count: sources.count)
        for (index, source) in sources.enumerated() {
            let node = Int(from(source))
            order[Int(places[node])] = Int32(index)
            places[node] += 1
        }
        elements = order.map { make(sources[Int($0)]) }
    }

    subscript(node: Int32) -> ArraySlice<Element> {
        elements[Int(starts[Int(node)])..<Int(starts[Int(node) + 1])]
    }
}
