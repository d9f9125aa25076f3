internal import Tokenizers

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
    /// And this many bytes: ids can be long, and time grows with the square of the text.
    private static let mostBytes = 2048
    /// Steps back that a search may take, tried one after the other: nearly all end within the first.
    private static let steps = [500, 2_000, 8_000, 32_000]
    /// Sum of the limits that the searches after one token may use up; 32 ordinary patterns fit.
    private static let allowance = 96_000

    private let patterns: [(text: String, pattern: TextPattern)]

    /// - Throws: When one is no regular expression.
    init(_ expressions: [String]) throws { patterns = try expressions.map { ($0, try TextPattern($0)) } }

    var isEmpty: Bool { patterns.isEmpty }

    var count: Int { patterns.count }

    /// Searches for one pattern after the other, and says what that cost: the sum of the limits that were tried.
    func search(_ text: String) -> (outcome: Outcome, cost: Int) {
        guard !patterns.isEmpty else { return (.none, 0) }
        let text = Self.end(of: text)
        var left = Self.allowance
        let outcome = search(text, &left)
        return (outcome, Self.allowance - left)
    }

    private func search(_ text: String, _ left: inout Int) -> Outcome {
        for (expression, pattern) in patterns {
            switch Self.firstMatch(of: pattern, in: text, &left) {
            case .match: return .match(expression)
            case .limitExceeded: return .limitExceeded(expression)
            case .noMatch: break
            }
        }
        return .none
    }

    /// What the client is told whose pattern was given up.
    static func complaint(_ pattern: String) -> String {
        "stop_regex `\(pattern)` takes too many steps to be searched for in the generated text. "
            + "Please use a pattern with fewer nested repetitions."
    }

    private static func firstMatch(
        of pattern: TextPattern, in text: String, _ left: inout Int
    ) -> BoundedSearch {
        for limit in steps where limit <= left {
            left -= limit
            let outcome = pattern.firstMatch(in: text, steps: limit)
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
