extension RulePlan {
    /// Decides which of the rules that a root leads to are called: those that come back to themselves, those from `firstShared` on, and
    /// those that are large and stand in many places. All others are put in place, where the automaton around them tells more apart.
    init(_ rules: [Expression], root: Int, firstShared: Int) {
        var survey = RuleSurvey(rules)
        survey.visit(root)
        var isCalled = survey.isRecursive
        isCalled[root] = true
        for rule in firstShared..<rules.count { isCalled[rule] = true }
        var sizes = [Int](repeating: 1, count: rules.count)
        var depths = [Int](repeating: 0, count: rules.count)
        // Those that a rule names come before it, but for the recursive ones, which are called anyway.
        for rule in survey.order {
            sizes[rule] = rules[rule].size { isCalled[$0] ? 1 : sizes[$0] }
            var depth = 0
            rules[rule].visitRules { named, _ in if !isCalled[named] { depth = max(depth, depths[named]) } }
            depths[rule] = depth + 1
            let isLarge = sizes[rule] > Self.smallSize
            let total = sizes[rule].multipliedReportingOverflow(by: max(survey.uses[rule], 1))
            if isLarge && survey.uses[rule] > 1 && (total.overflow || total.partialValue > Self.mostCopies) {
                isCalled[rule] = true
            }
            if depths[rule] > Self.mostDepth { isCalled[rule] = true }
        }
        self.init(rules: rules, isCalled: isCalled)
    }

    /// Nodes of a rule that is always put in place.
    private static let smallSize = 48
    /// Nodes that all copies of a rule may have together.
    private static let mostCopies = 4_000
    /// Rules within rules that are put in place.
    private static let mostDepth = 24
}

/// What is to be known of rules before they are laid out.
private struct RuleSurvey {
    private let rules: [Expression]
    /// Rules that are reached, each behind those that it names.
    private(set) var order: [Int] = []
    /// How often each is named.
    private(set) var uses: [Int]
    /// Which come back to themselves.
    private(set) var isRecursive: [Bool]
    private var marks: [Mark]

    private enum Mark {
        case new, open, done
    }

    init(_ rules: [Expression]) {
        self.rules = rules
        uses = Array(repeating: 0, count: rules.count)
        isRecursive = Array(repeating: false, count: rules.count)
        marks = Array(repeating: .new, count: rules.count)
    }

    /// Goes through all rules that one leads to, in depth, without a stack of calls that a source could make deep.
    mutating func visit(_ root: Int) {
        var path: [(rule: Int, named: [Int])] = []
        enter(root, &path)
        while let last = path.indices.last {
            guard let next = path[last].named.popLast() else {
                let rule = path.removeLast().rule
                marks[rule] = .done
                order.append(rule)
                continue
            }
            switch marks[next] {
            case .new: enter(next, &path)
            case .open: isRecursive[next] = true
            case .done: break
            }
        }
    }

    private mutating func enter(_ rule: Int, _ path: inout [(rule: Int, named: [Int])]) {
        marks[rule] = .open
        var named: [Int] = []
        rules[rule].visitRules { other, times in
            uses[other] = min(1 << 30, uses[other] + times)
            named.append(other)
        }
        path.append((rule, named.reversed()))
    }
}
