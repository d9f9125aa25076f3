/// Gives strings that stand in several places of a grammar one rule, so that what they allow is worked out once.
///
/// A text and the quote behind it are always followed by one thread: where the rule is over, is seen from its last byte.
struct SharedTexts {
    private struct Key: Hashable {
        let next: [Int32]
        let starts: [UInt32]
        let accepting: [Bool]
        let spelling: Spelling

        init(_ automaton: Automaton, _ spelling: Spelling) {
            (next, starts, accepting) = (automaton.next, automaton.classes.starts, automaton.accepting)
            self.spelling = spelling
        }
    }

    private static let quote = Expression.literal("\"")
    private var counts: [Key: Int] = [:]
    private var numbers: [Key: Int] = [:]
    private var added: [Expression] = []
    private let first: Int

    /// Rules with such strings in rules of their own behind them; those have to be called.
    static func share(in rules: [Expression]) -> [Expression] {
        var shared = SharedTexts(first: rules.count)
        for rule in rules { shared.count(rule) }
        guard shared.counts.values.contains(where: { $0 > 1 }) else { return rules }
        return rules.map { shared.replaced($0) } + shared.added
    }

    private init(first: Int) { self.first = first }

    /// The key of a text that a quote follows.
    private static func key(_ parts: [Expression], _ place: Int) -> Key? {
        guard case .text(let automaton, let spelling) = parts[place], spelling != .plain, place + 1 < parts.count,
            case .bytes(let bytes) = parts[place + 1], bytes == [0x22]
        else { return nil }
        return Key(automaton, spelling)
    }

    private mutating func count(_ expression: Expression) {
        switch expression {
        case .empty, .never, .bytes, .byte, .scalar, .text, .marker, .rule: break
        case .sequence(let parts):
            for (place, part) in parts.enumerated() {
                if let key = Self.key(parts, place) { counts[key, default: 0] += 1 } else { count(part) }
            }
        case .choice(let parts): for part in parts { count(part) }
        case .repeated(let part, _, _): count(part)
        case .graph(let graph): for edge in graph.edges { count(edge.expression) }
        }
    }

    private mutating func replaced(_ expression: Expression) -> Expression {
        switch expression {
        case .empty, .never, .bytes, .byte, .scalar, .text, .marker, .rule: return expression
        case .sequence(let parts):
            var replacement: [Expression] = []
            var place = 0
            while place < parts.count {
                if let key = Self.key(parts, place), counts[key]! > 1 {
                    replacement.append(.rule(number(of: key, parts[place])))
                    place += 2
                } else {
                    replacement.append(replaced(parts[place]))
                    place += 1
                }
            }
            return .sequence(replacement)
        case .choice(let parts): return .choice(parts.map { replaced($0) })
        case .repeated(let part, let least, let most): return .repeated(replaced(part), from: least, through: most)
        case .graph(let graph): return .graph(graph.mapped { replaced($0) })
        }
    }

    private mutating func number(of key: Key, _ text: Expression) -> Int {
        if let number = numbers[key] { return number }
        let number = first + added.count
        numbers[key] = number
        added.append(.sequence([text, Self.quote]))
        return number
    }
}
