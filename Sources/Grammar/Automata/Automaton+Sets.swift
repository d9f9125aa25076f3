extension Automaton {
    /// What two automata are put together to.
    enum Combination {
        case both, either, firstOnly
    }

    /// The texts that this and another automaton over scalars take.
    func intersection(_ other: Automaton, _ budget: inout Budget) throws(GrammarError) -> Automaton {
        try combined(.both, other, &budget)
    }

    /// The texts that this or another takes.
    func union(_ other: Automaton, _ budget: inout Budget) throws(GrammarError) -> Automaton {
        try combined(.either, other, &budget)
    }

    /// The texts that this takes and another does not.
    func subtracting(_ other: Automaton, _ budget: inout Budget) throws(GrammarError) -> Automaton {
        try combined(.firstOnly, other, &budget)
    }

    /// All texts of scalars that it does not take.
    func inverted(_ budget: inout Budget) throws(GrammarError) -> Automaton {
        try Automaton.anything.combined(.firstOnly, self, &budget)
    }

    /// Whether it takes no text; it has to be trimmed.
    var isNever: Bool { count == 0 }

    private struct Pair: Hashable {
        var mine, other: Int32
    }

    private func combined(
        _ combination: Combination, _ other: Automaton, _ budget: inout Budget
    ) throws(GrammarError) -> Automaton {
        let classes = SymbolClasses(classes, other.classes)
        let mine = classes.starts.map { self.classes.index(of: $0) }
        let others = classes.starts.map { other.classes.index(of: $0) }
        var order: [Pair] = [Pair(mine: count > 0 ? 0 : -1, other: other.count > 0 ? 0 : -1)]
        var numbers: [Pair: Int32] = [order[0]: 0]
        var result = Automaton(classes: classes, next: [], accepting: [], calls: [])
        var done = 0
        while done < order.count {
            let pair = order[done]
            done += 1
            let (here, there) = (
                pair.mine >= 0 && accepting[Int(pair.mine)], pair.other >= 0 && other.accepting[Int(pair.other)]
            )
            result.accepting.append(combination.takes(here, there))
            result.calls.append([])
            try budget.spend(work: classes.count * 10)
            for index in 0..<classes.count {
                let target = Pair(
                    mine: pair.mine < 0 ? -1 : next[Int(pair.mine) * self.classes.count + mine[index]],
                    other: pair.other < 0 ? -1 : other.next[Int(pair.other) * other.classes.count + others[index]])
                guard combination.goesOn(target.mine >= 0, target.other >= 0) else {
                    result.next.append(-1)
                    continue
                }
                if let number = numbers[target] {
                    result.next.append(number)
                } else {
                    try budget.spend(states: 1)
                    numbers[target] = Int32(order.count)
                    result.next.append(Int32(order.count))
                    order.append(target)
                }
            }
        }
        return try result.trimmed().minimal(&budget)
    }
}

extension Automaton.Combination {
    fileprivate func takes(_ one: Bool, _ other: Bool) -> Bool {
        switch self {
        case .both: one && other
        case .either: one || other
        case .firstOnly: one && !other
        }
    }

    fileprivate func goesOn(_ one: Bool, _ other: Bool) -> Bool {
        switch self {
        case .both: one && other
        case .either: one || other
        case .firstOnly: one
        }
    }
}
