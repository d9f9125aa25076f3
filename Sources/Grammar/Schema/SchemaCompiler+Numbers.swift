internal import JSON

extension SchemaCompiler {
    /// The numbers that some facts allow.
    mutating func number(_ facts: SchemaFacts) throws(GrammarError) -> Expression {
        let types = facts.types.intersection(.number)
        let excluded = facts.excluded.compactMap { Decimal($0) }
        let isBound = facts.lower != nil || facts.upper != nil
        var text: Automaton
        if types == .integer || facts.multiples.contains(where: { $0.is && $0.of.isInteger }) {
            if !types.contains(.integer) { return .never }
            text = try Automaton.matching("-?(0|[1-9][0-9]*)", .whole, &schemas.budget)
        } else {
            // With bounds there are no exponents, and no more digits than a double tells apart, so that what lies beside a bound is
            // still beside it when it is read.
            let isBound = isBound || !facts.multiples.isEmpty
            let places = isBound ? "{1,\(Self.places(facts))}" : "+"
            let exponent = isBound || !excluded.isEmpty ? "" : "([eE][+-]?([0-9]{1,2}|[12][0-9]{2}))?"
            let pattern = "-?(0|[1-9][0-9]*)(\\.[0-9]\(places))?\(exponent)"
            text = try Automaton.matching(types == .fraction ? Self.fractions : pattern, .whole, &schemas.budget)
        }
        if let (bound, isExclusive) = facts.lower {
            text = try text.intersection(
                Numerals.compared(bound, isExclusive ? [.above] : [.above, .equal], &schemas.budget), &schemas.budget)
        }
        if let (bound, isExclusive) = facts.upper {
            text = try text.intersection(
                Numerals.compared(bound, isExclusive ? [.below] : [.below, .equal], &schemas.budget), &schemas.budget)
        }
        for (divisor, isSo) in facts.multiples {
            text = try text.intersection(Numerals.multiples(of: divisor, isSo, &schemas.budget), &schemas.budget)
        }
        for number in excluded {
            let other = try Numerals.compared(number, [.below, .above], &schemas.budget)
            text = try text.intersection(other, &schemas.budget)
        }
        return .text(text, .plain)
    }

    /// Numbers that are no integers, of so few digits that a double tells them from one.
    private static let fractions: String = {
        let forms = (1...14).map { count in
            "\(count == 1 ? "[0-9]" : "[1-9][0-9]{\(count - 1)}")\\.[0-9]{0,\(14 - count)}[1-9]0*"
        }
        return "-?(\(forms.joined(separator: "|")))"
    }()

    private static func places(_ facts: SchemaFacts) -> Int {
        let bounds = [facts.lower?.bound, facts.upper?.bound].compactMap { $0 }
        let whole = bounds.map(\.whole.count).max() ?? 0
        let fraction = bounds.map(\.fraction.count).max() ?? 0
        return max(fraction, 15 - min(whole, 14), 1)
    }
}

/// Automata over the digits of numbers. They tell numbers apart, and leave their grammar to others.
enum Numerals {
    /// How a number lies to another.
    enum Order: Hashable {
        case below, equal, above
    }

    private struct Reading: Hashable {
        var isNegative = false
        var isInFraction = false
        /// Digits read of the part that is being read, up to one more than the other number has.
        var count = 0
        /// How far the digits lie above (1) or below (-1) those of the other.
        var difference = 0
        var isZero = true
        var hasSign = false
        var hasDigit = false
    }

    /// The numbers that lie to a bound in one of some ways.
    static func compared(_ bound: Decimal, _ orders: Set<Order>, _ budget: inout Budget) throws(GrammarError)
        -> Automaton
    {
        try built(Reading(), &budget) { reading, symbol in
            var next = reading
            switch symbol {
            case minus:
                guard !reading.hasSign, !reading.hasDigit else { return nil }
                next.isNegative = true
                next.hasSign = true
            case point:
                guard reading.hasDigit, !reading.isInFraction else { return nil }
                if reading.count < bound.whole.count { next.difference = -1 }
                next.isInFraction = true
                next.count = 0
            default:
                let digit = UInt8(symbol - 0x30)
                next.hasDigit = true
                if digit != 0 { next.isZero = false }
                let part = reading.isInFraction ? bound.fraction : bound.whole
                // The whole part of 0 has no digits: a zero in front of the point is none.
                if !reading.isInFraction, digit == 0, reading.count == 0 { return next }
                if reading.count < part.count {
                    if next.difference == 0, digit != part[reading.count] {
                        next.difference = digit > part[reading.count] ? 1 : -1
                    }
                    next.count += 1
                } else if !reading.isInFraction {
                    next.count = part.count + 1
                    next.difference = 1
                } else if next.difference == 0, digit != 0 {
                    next.difference = 1
                }
            }
            return next
        } accepts: { reading in
            reading.hasDigit && orders.contains(order(reading, bound))
        }
    }

    private static func order(_ reading: Reading, _ bound: Decimal) -> Order {
        if reading.isZero { return bound.isZero ? .equal : bound.isNegative ? .above : .below }
        if reading.isNegative != bound.isNegative || bound.isZero { return reading.isNegative ? .below : .above }
        var difference = reading.difference
        if !reading.isInFraction, reading.count < bound.whole.count { difference = -1 }
        if difference == 0 {
            // What has not been read is zeros.
            let rest = reading.isInFraction ? bound.fraction.count > reading.count : !bound.fraction.isEmpty
            difference = rest ? -1 : 0
        }
        if difference == 0 { return .equal }
        return (difference > 0) != reading.isNegative ? .above : .below
    }

    private struct Remainder: Hashable {
        var value = 0
        /// Digits read behind the point, up to as many as the divisor has; -1 in front of it.
        var places = -1
        var hasDigit = false
        /// Something other than zeros came behind the last place that counts.
        var isBeyond = false
    }

    /// The numbers that are multiples of another, or are not.
    static func multiples(of divisor: Divisor, _ isSo: Bool, _ budget: inout Budget) throws(GrammarError) -> Automaton {
        try built(Remainder(), &budget) { remainder, symbol in
            var next = remainder
            switch symbol {
            case minus: return remainder.hasDigit ? nil : remainder
            case point:
                guard remainder.hasDigit, remainder.places < 0 else { return nil }
                next.places = 0
            default:
                let digit = UInt8(symbol - 0x30)
                next.hasDigit = true
                if remainder.places == divisor.places {
                    next.isBeyond = remainder.isBeyond || digit != 0
                } else {
                    next.value = divisor.remainder(remainder.value, then: digit)
                    if remainder.places >= 0 { next.places += 1 }
                }
            }
            return next
        } accepts: { remainder in
            var value = remainder.value
            for _ in max(remainder.places, 0)..<divisor.places { value = divisor.remainder(value, then: 0) }
            return remainder.hasDigit && (value == 0 && !remainder.isBeyond) == isSo
        }
    }

    private static let minus: UInt32 = 0x2D
    private static let point: UInt32 = 0x2E

    /// The automaton of a function from states and symbols to states.
    private static func built<State: Hashable>(
        _ start: State, _ budget: inout Budget, step: (State, UInt32) -> State?, accepts: (State) -> Bool
    ) throws(GrammarError) -> Automaton {
        let symbols = [minus, point] + Array(0x30...0x39)
        let classes = SymbolClasses(edges: symbols.map { Network.Edge(from: 0, low: $0, high: $0, to: 0) })
        var automaton = Automaton(classes: classes, next: [], accepting: [], calls: [])
        var numbers = [start: Int32(0)]
        var order = [start]
        var done = 0
        while done < order.count {
            let state = order[done]
            done += 1
            try budget.spend(states: 1)
            var row = [Int32](repeating: -1, count: classes.count)
            for symbol in symbols {
                guard let target = step(state, symbol) else { continue }
                if numbers[target] == nil {
                    numbers[target] = Int32(order.count)
                    order.append(target)
                }
                row[classes.index(of: symbol)] = numbers[target]!
            }
            automaton.next += row
            automaton.accepting.append(accepts(state))
            automaton.calls.append([])
        }
        return try automaton.trimmed().minimal(&budget)
    }
}
