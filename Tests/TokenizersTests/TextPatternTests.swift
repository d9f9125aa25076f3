import Testing
import Tokenizers

@Suite struct TextPatternTests {
    private static let prose =
        "The old mill by the river, 1843: grinds corn (slowly) for 27 families; yes or no?\nIt is said so. "

    @Test(arguments: [
        (#"\d+"#, 27..<31), (#"(yes|no)\b"#, 71..<74), (#"\w+[.?!]$"#, 78..<81), (#"\s+\S+\s+\S+\n"#, 74..<82),
        (#"(?<=\n)It"#, 82..<84), (#"(?i)THE r"#, 16..<21), ("", 0..<0),
    ])
    func findsTheFirstMatchOnly(expression: String, place: Range<Int>) throws {
        let pattern = try TextPattern(expression)
        let text = String(repeating: Self.prose, count: 6)
        #expect(pattern.firstMatch(in: text, steps: 2_000) == .match(place))
    }

    @Test(arguments: [#"\n\n"#, ".*foo", #"^\s*$"#, #"\{.*\}"#, #"[\w\s]+[:#]\s*\d{3}"#, "```[\\s\\S]*```"])
    func ordinaryPatternsEndWellWithinTheLimit(expression: String) throws {
        let pattern = try TextPattern(expression)
        let text = String(repeating: Self.prose, count: 6).dropLast() + "."
        #expect(pattern.firstMatch(in: String(text), steps: 2_000) == .noMatch)
    }

    @Test(arguments: ["(a+)+b", "(a|aa)+$b", "(.*a){12}b"])
    func aSearchThatBacktracksWithoutEndIsGivenUp(expression: String) throws {
        let pattern = try TextPattern(expression)
        let text = String(repeating: "a", count: 600)
        for steps in [1, 100, 2_000, 20_000] {
            #expect(pattern.firstMatch(in: text + "cb", steps: steps) == .limitExceeded)
        }
    }

    @Test func theLimitIsTheSameForEveryTextThatNeedsTheSameSteps() throws {
        let pattern = try TextPattern("(a|b|ab)*c")
        let text = "abababababc"
        let needed = (1...20_000).first { pattern.firstMatch(in: text, steps: $0) != .limitExceeded }
        let steps = try #require(needed)
        #expect(pattern.firstMatch(in: text, steps: steps) == .match(0..<11))
        for _ in 0..<3 { #expect(pattern.firstMatch(in: text, steps: steps - 1) == .limitExceeded) }
    }

    @Test func noTextHoldsNothingButAnEmptyMatch() throws {
        #expect(try TextPattern("a*").firstMatch(in: "", steps: 10) == .match(0..<0))
        #expect(try TextPattern("a").firstMatch(in: "", steps: 10) == .noMatch)
    }

    @Test func noStepsFindNothingOut() throws {
        #expect(try TextPattern("a").firstMatch(in: "a", steps: 0) == .limitExceeded)
    }
}
