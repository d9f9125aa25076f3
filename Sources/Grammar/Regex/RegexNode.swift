/// A regular expression over Unicode scalars.
indirect enum RegexNode: Sendable {
    case empty
    case set(ScalarSet)
    case sequence([RegexNode])
    case choice([RegexNode])
    case repeated(RegexNode, from: Int, through: Int?)
    /// The beginning and the end of the text.
    case begin
    case end
}

extension Automaton {
    /// Where an expression has to match.
    enum Match {
        /// The whole text.
        case whole
        /// Any part of it.
        case part
    }

    /// The texts that a regular expression matches.
    static func matching(
        _ pattern: String, _ match: Match, _ budget: inout Budget
    ) throws(GrammarError) -> Automaton {
        let node = try RegexParser.parse(pattern, depth: budget.limits.depth)
        var network = Network()
        let (before, behind) = (network.node(), network.node())
        if match == .part {
            network.skip(network.start, before)
            network.skip(behind, network.end)
            for loop in [before, behind] {
                for range in ScalarSet.all.ranges { network.join(loop, range, loop) }
                network.join(loop, TextEdge.begin, loop)
                network.join(loop, TextEdge.end, loop)
            }
        } else {
            // An anchor in the expression reads the edge of the text; where there is none, it is read here.
            network.skip(network.start, before)
            network.skip(behind, network.end)
            network.join(network.start, TextEdge.begin, before)
            network.join(behind, TextEdge.end, network.end)
        }
        try network.add(node, from: before, to: behind, &budget)
        var determinizer = Determinizer(network, classes: SymbolClasses(edges: network.edges))
        return try determinizer.run(&budget).withoutTextEdges().minimal(&budget)
    }

    /// Takes what stands between the edges of the texts that this takes.
    private func withoutTextEdges() -> Automaton {
        guard count > 0 else { return self }
        var inner = self
        let (begin, end) = (
            classes.index(of: TextEdge.begin.lowerBound), classes.index(of: TextEdge.end.lowerBound)
        )
        for state in 0..<count {
            let target = next[state * classes.count + end]
            inner.accepting[state] = target >= 0 && accepting[Int(target)]
        }
        let start = next[begin]
        for state in 0..<count {
            for (index, first) in classes.starts.enumerated() where first > 0x10FFFF {
                inner.next[state * classes.count + index] = -1
            }
        }
        return inner.trimmed(from: start)
    }

    /// The texts of a list.
    static func literals(_ texts: [String], _ budget: inout Budget) throws(GrammarError) -> Automaton {
        var network = Network()
        for text in texts {
            var here = network.start
            for scalar in text.unicodeScalars {
                let next = network.node()
                network.join(here, scalar.value...scalar.value, next)
                here = next
            }
            network.skip(here, network.end)
        }
        var determinizer = Determinizer(network, classes: SymbolClasses(edges: network.edges))
        return try determinizer.run(&budget).trimmed().minimal(&budget)
    }
}

/// Symbols for the edges of a text, behind all scalars.
private enum TextEdge {
    static let begin: ClosedRange<UInt32> = 0x110000...0x110000
    static let end: ClosedRange<UInt32> = 0x110001...0x110001
}

extension Network {
    fileprivate mutating func add(
        _ node: RegexNode, from: Int32, to: Int32, _ budget: inout Budget
    ) throws(GrammarError) {
        try budget.spend(work: 1)
        try check(budget)
        switch node {
        case .empty: skip(from, to)
        case .set(let set): for range in set.ranges { join(from, range, to) }
        case .begin: join(from, TextEdge.begin, to)
        case .end: join(from, TextEdge.end, to)
        case .sequence(let parts):
            var here = from
            for part in parts {
                let next = self.node()
                try add(part, from: here, to: next, &budget)
                here = next
            }
            skip(here, to)
        case .choice(let parts):
            for part in parts {
                let begin = self.node()
                skip(from, begin)
                try add(part, from: begin, to: to, &budget)
            }
        case .repeated(let part, let least, let most):
            var here = from
            for _ in 0..<least {
                let next = self.node()
                try add(part, from: here, to: next, &budget)
                here = next
            }
            guard let most else {
                let loop = self.node()
                skip(here, loop)
                try add(part, from: loop, to: loop, &budget)
                return skip(loop, to)
            }
            for _ in least..<max(least, most) {
                skip(here, to)
                let next = self.node()
                try add(part, from: here, to: next, &budget)
                here = next
            }
            skip(here, to)
        }
    }
}
