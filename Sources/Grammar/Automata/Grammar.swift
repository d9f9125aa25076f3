/// A set of texts as an automaton over bytes: finite where nothing is recursive, with a stack where something is.
///
/// Each called rule is a deterministic, minimal automaton; all of them share one table. A text is followed by one stack of states, or
/// by several where the grammar leaves open in which rule it is. From every state some text is left to end with.
package struct Grammar: Sendable {
    /// The class of each byte, and of `Network.special`.
    let classOf: [UInt16]
    /// How many classes there are.
    let classCount: Int
    /// The state that each state has for each class; -1: none.
    let next: [Int32]
    /// What is so of each state.
    let traits: [StateTraits]
    /// Where the calls of each state begin in `calls`, and the end of the last.
    let callStart: [Int32]
    /// The first state of a rule that may begin, and the state behind it.
    let calls: [(first: Int32, behind: Int32)]
    /// Where texts begin.
    let first: Int32

    /// How many states there are.
    package var stateCount: Int { traits.count }
    /// How much memory it holds, about.
    package var byteCount: Int { next.count * 4 + traits.count * 5 + calls.count * 8 + 1024 }
}

/// What is so of a state.
struct StateTraits: OptionSet, Sendable {
    let rawValue: UInt8
    /// Its rule may end here.
    static let accepting = StateTraits(rawValue: 1)
    /// Some byte may come.
    static let reads = StateTraits(rawValue: 2)
    /// Some rule may begin.
    static let calls = StateTraits(rawValue: 4)
}

extension Grammar {
    /// Compiles rules.
    /// - Throws: When they ask for too much, take no text, or begin with themselves.
    init(rules placed: PlacedRules, root: Int, _ budget: inout Budget) throws(GrammarError) {
        let rules = SharedTexts.share(in: placed.expressions)
        let all = PlacedRules(expressions: rules, places: placed.places)
        let plan = RulePlan(all, root: root, firstShared: placed.expressions.count)
        var networks: [(rule: Int, network: Network)] = []
        var isWanted = [Bool](repeating: false, count: rules.count)
        isWanted[root] = true
        var open = [root]
        while let rule = open.popLast() {
            var network = Network()
            do throws(GrammarError) {
                try network.add(rules[rule], from: network.start, to: network.end, plan, &budget)
            } catch {
                throw error.placed(at: plan.places[rule])
            }
            try network.unrollLeftRecursion(of: Int32(rule))
            for call in network.calls where !isWanted[Int(call.rule)] {
                isWanted[Int(call.rule)] = true
                open.append(Int(call.rule))
            }
            try budget.spend(states: Int(network.count) / 8)
            networks.append((rule, network))
        }
        let classes = SymbolClasses(edges: networks.flatMap(\.network.edges))
        var automata = [Int32: Automaton]()
        for (rule, network) in networks {
            var determinizer = Determinizer(network, classes: classes)
            do throws(GrammarError) {
                automata[Int32(rule)] = try determinizer.run(&budget)
            } catch {
                throw error.placed(at: plan.places[rule])
            }
        }
        try Self.trim(&automata, plan, &budget)
        guard automata[Int32(root)]!.count > 0 else {
            throw GrammarError("no text satisfies it").placed(at: plan.places[root])
        }
        try Self.checkBeginnings(automata)
        let order = networks.map { Int32($0.rule) }
        do throws(GrammarError) {
            try self.init(automata, order: order, classes: classes, budget.limits)
        } catch {
            throw error.placed(at: plan.places[Int(order.max { automata[$0]!.count < automata[$1]!.count }!)])
        }
    }

    /// Leaves only what can come to an end.
    private static func trim(
        _ automata: inout [Int32: Automaton], _ plan: RulePlan, _ budget: inout Budget
    ) throws(GrammarError) {
        var productive: Set<Int32> = []
        var grows = true
        while grows {
            grows = false
            for (rule, automaton) in automata where !productive.contains(rule) {
                try budget.spend(work: automaton.next.count / 4)
                guard automaton.liveStates(productive.contains)[0] else { continue }
                productive.insert(rule)
                grows = true
            }
        }
        for rule in automata.keys {
            do throws(GrammarError) {
                automata[rule] = try automata[rule]!.trimmed(productive.contains).minimal(&budget)
            } catch {
                throw error.placed(at: plan.places[Int(rule)])
            }
        }
    }

    /// Refuses rules that may begin with themselves before anything is read: a stack for them would have no end.
    private static func checkBeginnings(_ automata: [Int32: Automaton]) throws(GrammarError) {
        var nullable: Set<Int32> = []
        var beginnings: [Int32: Set<Int32>] = [:]
        var grows = true
        while grows {
            grows = false
            for (rule, automaton) in automata where automaton.count > 0 {
                var open: [Int32] = [0]
                var seen: Set<Int32> = [0]
                var begun: Set<Int32> = []
                while let state = open.popLast() {
                    if automaton.accepting[Int(state)], nullable.insert(rule).inserted { grows = true }
                    for call in automaton.calls[Int(state)] {
                        begun.insert(call.rule)
                        if nullable.contains(call.rule), seen.insert(call.to).inserted { open.append(call.to) }
                    }
                }
                beginnings[rule] = begun
            }
        }
        // Rules without beginnings are taken away until none is left, or only circles are.
        while let free = beginnings.first(where: { $0.value.isDisjoint(with: beginnings.keys) }) {
            beginnings[free.key] = nil
        }
        guard beginnings.isEmpty else { throw GrammarError("a rule begins with itself (left recursion)") }
    }

    private init(
        _ automata: [Int32: Automaton], order: [Int32], classes: SymbolClasses, _ limits: GrammarLimits
    ) throws(GrammarError) {
        var offsets: [Int32: Int32] = [:]
        var total = 0
        for rule in order {
            offsets[rule] = Int32(total)
            total += automata[rule]!.count
        }
        guard total * classes.count <= limits.tableEntries else {
            throw GrammarError(beyond: "its table of \(total) states is too large")
        }
        var table: [Int32] = []
        table.reserveCapacity(total * classes.count)
        var traits: [StateTraits] = []
        var callStart: [Int32] = [0]
        var calls: [(first: Int32, behind: Int32)] = []
        for rule in order {
            let (automaton, offset) = (automata[rule]!, offsets[rule]!)
            for target in automaton.next { table.append(target < 0 ? -1 : target + offset) }
            for state in 0..<automaton.count {
                var trait: StateTraits = automaton.accepting[state] ? .accepting : []
                let row = automaton.next[state * classes.count..<(state + 1) * classes.count]
                if row.contains(where: { $0 >= 0 }) { trait.insert(.reads) }
                if !automaton.calls[state].isEmpty { trait.insert(.calls) }
                traits.append(trait)
                for call in automaton.calls[state] { calls.append((offsets[call.rule]!, call.to + offset)) }
                callStart.append(Int32(calls.count))
            }
        }
        classOf = (0...Network.special).map { UInt16(classes.index(of: $0)) }
        classCount = classes.count
        next = table
        self.traits = traits
        self.callStart = callStart
        self.calls = calls
        first = offsets[order[0]]!
    }
}

extension Network {
    /// Turns `rule ::= rule more | other`, which a stack could not follow, into `other` and any number of `more`.
    mutating func unrollLeftRecursion(of rule: Int32) throws(GrammarError) {
        guard calls.contains(where: { $0.rule == rule }) else { return }
        let begin = reached(from: [start])
        let left = calls.filter { $0.rule == rule && begin.contains($0.from) }
        guard !left.isEmpty else { return }
        let later = reached(from: edges.map(\.to) + calls.map(\.to))
        guard !left.contains(where: { later.contains($0.from) }) else {
            throw GrammarError("a rule begins with itself (left recursion)")
        }
        calls.removeAll { $0.rule == rule && begin.contains($0.from) }
        for call in left { skip(end, call.to) }
    }

    private func reached(from nodes: [Int32]) -> Set<Int32> {
        var after: [Int32: [Int32]] = [:]
        for skip in skips { after[skip.from, default: []].append(skip.to) }
        var reached = Set(nodes)
        var open = Array(reached)
        while let node = open.popLast() {
            for target in after[node] ?? [] where reached.insert(target).inserted { open.append(target) }
        }
        return reached
    }
}
