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
    /// The nodes of each state.
    private var sets = NodeLists()
    /// The state of each node that an edge alone leads to, so that its closure is computed once; -1: not known yet.
    private var stateOf: [Int32]
    /// The same of several nodes.
    private var groups = NodeLists()
    private var stateOfGroup: [Int32] = []
    private var open: [Int32] = []
    private var closure: [Int32] = []

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
        stateOf = met
    }

    /// The automaton of all sets that are reached.
    mutating func run(_ budget: inout Budget) throws(GrammarError) -> Automaton {
        var automaton = Automaton(classes: classes, next: [], accepting: [], calls: [])
        _ = try state(ofNode: start, &budget)
        var targets = ClassTargets(classes.count)
        var done = 0
        while done < sets.count {
            var isAccepting = false
            var called: [(rule: Int32, to: [Int32])] = []
            var looked = 0
            for place in sets.range(done) {
                let node = sets.nodes[place]
                if node == end { isAccepting = true }
                for index in edges.range(node) {
                    let edge = edges.elements[index]
                    for index in Int(edge.low)...Int(edge.high) { targets.add(edge.to, index) }
                    looked += Int(edge.high - edge.low) + 1
                }
                for index in calls.range(node) {
                    let call = calls.elements[index]
                    if let place = called.firstIndex(where: { $0.rule == call.rule }) {
                        called[place].to.append(call.to)
                    } else {
                        called.append((call.rule, [call.to]))
                    }
                }
            }
            automaton.accepting.append(isAccepting)
            try budget.spend(work: looked + classes.count / 8 + 1)
            try addRow(&targets, to: &automaton, &budget)
            var row: [Automaton.Call] = []
            for call in called { row.append(Automaton.Call(rule: call.rule, to: try state(of: call.to, &budget))) }
            automaton.calls.append(row)
            done += 1
        }
        return automaton
    }

    /// Adds the states that classes lead to, and forgets the classes' nodes.
    private mutating func addRow(
        _ targets: inout ClassTargets, to automaton: inout Automaton, _ budget: inout Budget
    ) throws(GrammarError) {
        let row = automaton.next.count
        automaton.next.append(contentsOf: repeatElement(-1, count: classes.count))
        // Most neighbours lead to the same.
        var last = (index: -1, state: Int32(-1))
        for index in targets.touched where targets.first[index] >= 0 {
            if last.index >= 0, targets.areSame(last.index, index) {
                automaton.next[row + index] = last.state
                continue
            }
            let target =
                targets.all[index].isEmpty
                ? try state(ofNode: targets.first[index], &budget) : try state(of: targets.all[index], &budget)
            automaton.next[row + index] = target
            last = (index, target)
        }
        targets.removeAll()
    }

    private mutating func state(ofNode node: Int32, _ budget: inout Budget) throws(GrammarError) -> Int32 {
        if stateOf[Int(node)] >= 0 { return stateOf[Int(node)] }
        open.append(node)
        let state = try closedState(&budget)
        stateOf[Int(node)] = state
        return state
    }

    private mutating func state(of nodes: [Int32], _ budget: inout Budget) throws(GrammarError) -> Int32 {
        if nodes.count == 1 { return try state(ofNode: nodes[0], &budget) }
        let group = Int(groups.number(of: nodes))
        if group < stateOfGroup.count { return stateOfGroup[group] }
        open.append(contentsOf: nodes)
        let state = try closedState(&budget)
        stateOfGroup.append(state)
        return state
    }

    /// The number of the set of all nodes that are reached from the open ones without reading anything.
    private mutating func closedState(_ budget: inout Budget) throws(GrammarError) -> Int32 {
        round += 1
        closure.removeAll(keepingCapacity: true)
        var looked = 0
        while let node = open.popLast() {
            guard met[Int(node)] != round else { continue }
            met[Int(node)] = round
            looked += 1
            if node == end || !edges.range(node).isEmpty || !calls.range(node).isEmpty { closure.append(node) }
            for index in skips.range(node) { open.append(skips.elements[index]) }
        }
        closure.sort()
        try budget.spend(work: looked * 2)
        let (before, number) = (sets.count, sets.number(of: closure))
        if sets.count > before { try budget.spend(setOf: closure.count, states: sets.count, nodes: met.count) }
        return number
    }
}

/// The nodes that each class of symbols leads to.
private struct ClassTargets {
    /// One of them; -1: there is none.
    private(set) var first: [Int32]
    /// All of them where there are several.
    private(set) var all: [[Int32]]
    private var low: Int
    private var high = -1

    init(_ count: Int) {
        first = Array(repeating: -1, count: count)
        all = Array(repeating: [], count: count)
        low = count
    }

    /// Classes outside of this have none.
    var touched: Range<Int> { low > high ? 0..<0 : low..<high + 1 }

    mutating func add(_ node: Int32, _ index: Int) {
        if first[index] < 0 {
            first[index] = node
            low = min(low, index)
            high = max(high, index)
        } else if !all[index].isEmpty {
            all[index].append(node)
        } else if first[index] != node {
            all[index].append(first[index])
            all[index].append(node)
        }
    }

    func areSame(_ one: Int, _ other: Int) -> Bool {
        first[one] == first[other] && all[one].count == all[other].count
            && (all[one].isEmpty || all[one] == all[other])
    }

    mutating func removeAll() {
        for index in touched {
            first[index] = -1
            if !all[index].isEmpty { all[index].removeAll(keepingCapacity: true) }
        }
        low = first.count
        high = -1
    }
}
