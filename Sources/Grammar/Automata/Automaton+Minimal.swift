extension Automaton {
    /// Without states that no text leads to or from which none ends; rules that take no text cannot begin.
    /// - Parameter start: The state that becomes the first.
    func trimmed(from start: Int32 = 0, _ isProductive: (Int32) -> Bool = { _ in true }) -> Automaton {
        let live = liveStates(isProductive)
        guard count > 0, start >= 0, live[Int(start)] else { return .never }
        if start == 0, live.allSatisfy({ $0 }), calls.allSatisfy({ $0.allSatisfy { isProductive($0.rule) } }) {
            return self
        }
        var numbers = [Int32](repeating: -1, count: count)
        numbers[Int(start)] = 0
        var order: [Int32] = [start]
        var trimmed = Automaton(classes: classes, next: [], accepting: [], calls: [])
        var done = 0
        while done < order.count {
            let state = Int(order[done])
            done += 1
            func number(_ target: Int32) -> Int32 {
                guard target >= 0, live[Int(target)] else { return -1 }
                if numbers[Int(target)] < 0 {
                    numbers[Int(target)] = Int32(order.count)
                    order.append(target)
                }
                return numbers[Int(target)]
            }
            for index in 0..<classes.count { trimmed.next.append(number(next[state * classes.count + index])) }
            trimmed.accepting.append(accepting[state])
            var row: [Call] = []
            for call in calls[state] where isProductive(call.rule) && live[Int(call.to)] {
                row.append(Call(rule: call.rule, to: number(call.to)))
            }
            trimmed.calls.append(row)
        }
        return trimmed
    }

    /// From which states a text may end.
    func liveStates(_ isProductive: (Int32) -> Bool) -> [Bool] {
        var steps: [(from: Int32, to: Int32)] = []
        steps.reserveCapacity(count * 2)
        for state in 0..<count {
            var last: Int32 = -1
            for index in 0..<classes.count {
                let target = next[state * classes.count + index]
                if target >= 0, target != last { steps.append((Int32(state), target)) }
                last = target
            }
            for call in calls[state] where isProductive(call.rule) { steps.append((Int32(state), call.to)) }
        }
        let before = Rows(count, steps, from: \.to) { $0.from }
        var live = accepting
        var open = (0..<count).filter { live[$0] }
        while let state = open.popLast() {
            for index in before.range(Int32(state)) {
                let source = Int(before.elements[index])
                guard !live[source] else { continue }
                live[source] = true
                open.append(source)
            }
        }
        return live
    }

    /// The smallest automaton that takes the same texts; this one has to be trimmed.
    func minimal(_ budget: inout Budget) throws(GrammarError) -> Automaton {
        guard count > 1 else { return self }
        var refinement = Refinement(self)
        try budget.spend(work: refinement.size * 4)
        let (blocks, blockCount) = refinement.run()
        guard blockCount < count else { return self }
        // Blocks are numbered in the order in which states come, so that state 0 is in block 0.
        var numbers = [Int32](repeating: -1, count: blockCount)
        var leaders: [Int] = []
        for state in 0..<count where numbers[blocks[state]] < 0 {
            numbers[blocks[state]] = Int32(leaders.count)
            leaders.append(state)
        }
        var smaller = Automaton(classes: classes, next: [], accepting: [], calls: [])
        smaller.next.reserveCapacity(leaders.count * classes.count)
        for leader in leaders {
            for index in 0..<classes.count {
                let target = next[leader * classes.count + index]
                smaller.next.append(target < 0 ? -1 : numbers[blocks[Int(target)]])
            }
            smaller.accepting.append(accepting[leader])
            smaller.calls.append(calls[leader].map { Call(rule: $0.rule, to: numbers[blocks[Int($0.to)]]) })
        }
        return smaller
    }
}

/// Splits the states of an automaton into blocks until the edges with one label from one block all lead to one block (Valmari and
/// Lehtinen's way of Hopcroft's algorithm, for automata that lack edges).
private struct Refinement {
    private var blocks: Partition
    private var cords: Partition
    private var tails: [Int32] = []
    private var heads: [Int32] = []
    /// Edges by the state they lead to.
    private var incoming: [Int32] = []
    private var incomingStart: [Int32]

    /// How much there was to do.
    var size: Int { tails.count + blocks.count }

    init(_ automaton: Automaton) {
        blocks = Partition(automaton.count)
        incomingStart = Array(repeating: 0, count: automaton.count + 1)
        let width = automaton.classes.count
        var labels: [Int32] = []
        for state in 0..<automaton.count {
            for index in 0..<width {
                let target = automaton.next[state * width + index]
                guard target >= 0 else { continue }
                tails.append(Int32(state))
                heads.append(target)
                labels.append(Int32(index))
            }
            for call in automaton.calls[state] {
                tails.append(Int32(state))
                heads.append(call.to)
                labels.append(Int32(width) + call.rule)
            }
        }
        for head in heads { incomingStart[Int(head) + 1] += 1 }
        for index in 0..<automaton.count { incomingStart[index + 1] += incomingStart[index] }
        incoming = Array(repeating: 0, count: heads.count)
        var places = incomingStart
        for (edge, head) in heads.enumerated() {
            incoming[Int(places[Int(head)])] = Int32(edge)
            places[Int(head)] += 1
        }
        for state in 0..<automaton.count where automaton.accepting[state] { blocks.mark(state) }
        blocks.split()
        cords = Partition(labels)
    }

    /// The block of each state, and how many blocks there are.
    mutating func run() -> (blocks: [Int], count: Int) {
        var block = 1
        var cord = 0
        while cord < cords.sets {
            for place in cords.range(cord) { blocks.mark(Int(tails[cords.element(place)])) }
            blocks.split()
            cord += 1
            while block < blocks.sets {
                for place in blocks.range(block) {
                    let state = blocks.element(place)
                    for index in incomingStart[state]..<incomingStart[state + 1] {
                        cords.mark(Int(incoming[Int(index)]))
                    }
                }
                cords.split()
                block += 1
            }
        }
        return ((0..<blocks.count).map { blocks.set(of: $0) }, blocks.sets)
    }
}

/// A partition of numbers into sets that are split by marking some of their elements.
private struct Partition {
    /// Elements, set by set, and where each is.
    private var elements: [Int32]
    private var places: [Int32]
    private var setOf: [Int32]
    private var first: [Int32] = []
    private var past: [Int32] = []
    private var marked: [Int32] = []
    private var touched: [Int32] = []

    var count: Int { elements.count }
    var sets: Int { first.count }

    /// All in one set.
    init(_ count: Int) {
        elements = (0..<count).map { Int32($0) }
        places = elements
        setOf = Array(repeating: 0, count: count)
        if count > 0 { open(0, count) }
    }

    /// Those of one label in one set.
    init(_ labels: [Int32]) {
        elements = Self.sorted(labels)
        places = Array(repeating: 0, count: labels.count)
        setOf = places
        var begin = 0
        for (place, element) in elements.enumerated() {
            if place > begin, labels[Int(element)] != labels[Int(elements[begin])] {
                open(begin, place)
                begin = place
            }
            places[Int(element)] = Int32(place)
            setOf[Int(element)] = Int32(first.count)
        }
        if begin < elements.count { open(begin, elements.count) }
    }

    /// Places in the order of their labels, which are few.
    private static func sorted(_ labels: [Int32]) -> [Int32] {
        var starts = [Int32](repeating: 0, count: Int(labels.max() ?? 0) + 2)
        for label in labels { starts[Int(label) + 1] += 1 }
        for label in 1..<starts.count { starts[label] += starts[label - 1] }
        var sorted = [Int32](repeating: 0, count: labels.count)
        for (place, label) in labels.enumerated() {
            sorted[Int(starts[Int(label)])] = Int32(place)
            starts[Int(label)] += 1
        }
        return sorted
    }

    private mutating func open(_ begin: Int, _ end: Int) {
        first.append(Int32(begin))
        past.append(Int32(end))
        marked.append(0)
    }

    func range(_ set: Int) -> Range<Int> { Int(first[set])..<Int(past[set]) }
    func element(_ place: Int) -> Int { Int(elements[place]) }
    func set(of element: Int) -> Int { Int(setOf[element]) }

    /// Marks an element that is not marked yet, or does nothing.
    mutating func mark(_ element: Int) {
        let set = Int(setOf[element])
        let place = places[element]
        let boundary = first[set] + marked[set]
        if place < boundary { return }
        elements[Int(place)] = elements[Int(boundary)]
        places[Int(elements[Int(place)])] = place
        elements[Int(boundary)] = Int32(element)
        places[element] = boundary
        if marked[set] == 0 { touched.append(Int32(set)) }
        marked[set] += 1
    }

    /// Makes the marked or the other elements of each set one of its own, whichever are fewer.
    mutating func split() {
        while let touched = touched.popLast() {
            let set = Int(touched)
            let boundary = first[set] + marked[set]
            let isSmaller = marked[set] <= past[set] - boundary
            marked[set] = 0
            if boundary == past[set] { continue }
            let (begin, end) = isSmaller ? (first[set], boundary) : (boundary, past[set])
            if isSmaller { first[set] = boundary } else { past[set] = boundary }
            for place in begin..<end { setOf[Int(elements[Int(place)])] = Int32(first.count) }
            open(Int(begin), Int(end))
        }
    }
}
