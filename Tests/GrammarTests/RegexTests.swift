import Grammar
import Testing

@Suite struct RegexTests {
    @Test(arguments: [
        ("abc", ["abc"], ["", "ab", "abcd"]),
        ("a*", ["", "a", "aaaa"], ["b", "ab"]),
        ("(ab|cd)+e?", ["ab", "abcde", "cdcd"], ["", "e", "abe1"]),
        ("[a-c]{2,3}", ["ab", "abc"], ["a", "abca", "abd"]),
        ("^\\d{4}-\\d{2}$", ["2024-01"], ["2024-1", "x2024-01"]),
        ("[^\"]*", ["", "häß", "日本"], ["\""]),
        ("\\u00e9|\\x41|\\u{1F600}", ["é", "A", "😀"], ["e"]),
        ("(?:a|b)(?<name>c)", ["ac", "bc"], ["c"]),
        ("a{,2}b{1,}", ["b", "aab", "abbb"], ["aaab", "a"]),
        (".", ["x", "é", "😀"], ["\n", "", "xy"]),
        ("a{x}", ["a{x}"], ["a"]),
        ("\\p{Lu}\\P{L}", ["A1", "Ä-"], ["a1", "AA"]),
        ("a|", ["", "a"], ["aa"]),
    ])
    func takesWhatMatches(_ pattern: String, _ good: [String], _ bad: [String]) throws {
        let grammar = try Grammar(.regex(pattern))
        for text in good { #expect(grammar.takes(text), "\(pattern) \(text)") }
        for text in bad { #expect(!grammar.takes(text), "\(pattern) \(text)") }
    }

    @Test(arguments: [
        ("(a", 0), ("a)", 1), ("*a", 0), ("a**", 2), ("(?=a)b", 0), ("\\1", 1), ("a\\b", 2), ("[z-a]", 1), ("é[", 2),
        ("a{3,2}", 2), ("\\q", 1), ("a*+", 2),
    ])
    func tellsWhereAnExpressionIsWrong(_ pattern: String, _ offset: Int) {
        #expect {
            try Grammar(.regex(pattern))
        } throws: { ($0 as? GrammarError)?.place == .offset(offset) }
    }
}
