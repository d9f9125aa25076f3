internal import Tokenizers
internal import Values

/// The stop patterns of one request, searched for in the last text after each token, within limits that depend on pattern and text
/// alone: a replayed request ends as an undisturbed one does, and no client's pattern keeps the others waiting.
struct StopPatterns: Sendable {
    /// What all patterns together come to.
    enum Outcome: Equatable {
        /// The first pattern that matches.
        case match(String)
        /// A pattern was given up: whether it matches is not known.
        case limitExceeded(String)
        case none
    }

    /// Patterns may look back this many ids.
    static let window = 128
    /// And this many bytes: ids can be long, and a step may cost as much as the text is long.
    private static let mostBytes = 1024
    /// What the searches after one token may cost together, in steps back of usual patterns (some 20 ns each); 32 ordinary ones fit.
    private static let allowance = 96_000

    /// Steps back that a search may take, tried one after the other: nearly all end within the first. And what a step costs.
    private struct Limits {
        var steps: [Int]
        var price: Int

        static let usual = Limits(steps: [500, 2_000, 8_000, 32_000], price: 1)
        /// Of patterns that look around, or that run on without noting where they could turn back: the steps do not count how
        /// much they read meanwhile, 5 µs each in the worst case.
        static let costly = Limits(steps: [25, 200, 500], price: 100)

        init(steps: [Int], price: Int) {
            self.steps = steps
            self.price = price
        }

        /// The limits of an expression.
        init(_ expression: String) {
            let signs = ["(?=", "(?!", "(?<=", "(?<!", "(?>", "*+", "++", "?+"]
            let bytes = Array(expression.utf8)
            self = signs.contains { bytes.holds(bytes: Array($0.utf8)) } ? .costly : .usual
        }
    }

    private struct Pattern {
        let text: String
        let pattern: TextPattern
        let limits: Limits
    }

    private let patterns: [Pattern]

    /// - Throws: When one is no regular expression.
    init(_ expressions: [String]) throws {
        patterns = try expressions.map { Pattern(text: $0, pattern: try TextPattern($0), limits: Limits($0)) }
    }

    var isEmpty: Bool { patterns.isEmpty }

    var count: Int { patterns.count }

    /// Searches for one pattern after the other, and says what that cost: the sum of the limits that were tried, by their price.
    func search(_ text: String) -> (outcome: Outcome, cost: Int) {
        guard !patterns.isEmpty else { return (.none, 0) }
        let text = Self.end(of: text)
        var left = Self.allowance
        let outcome = search(text, &left)
        return (outcome, Self.allowance - left)
    }

    private func search(_ text: String, _ left: inout Int) -> Outcome {
        for pattern in patterns {
            switch Self.firstMatch(of: pattern, in: text, &left) {
            case .match: return .match(pattern.text)
            case .limitExceeded: return .limitExceeded(pattern.text)
            case .noMatch: break
            }
        }
        return .none
    }

    /// What the client is told whose pattern was given up.
    static func complaint(_ pattern: String) -> String {
        "stop_regex `\(pattern)` takes too many steps to be searched for in the generated text. "
            + "Please use a pattern with fewer nested repetitions or lookarounds."
    }

    private static func firstMatch(of pattern: Pattern, in text: String, _ left: inout Int) -> BoundedSearch {
        for steps in pattern.limits.steps where steps * pattern.limits.price <= left {
            left -= steps * pattern.limits.price
            let outcome = pattern.pattern.firstMatch(in: text, steps: steps)
            if outcome != .limitExceeded { return outcome }
        }
        return .limitExceeded
    }

    /// The last bytes of a text, from the beginning of a character on.
    private static func end(of text: String) -> String {
        let bytes = text.utf8
        guard bytes.count > mostBytes else { return text }
        return String(decoding: bytes.suffix(mostBytes).drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
    }
}
