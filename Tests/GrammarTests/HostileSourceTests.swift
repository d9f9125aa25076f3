import Grammar
import Testing

/// Sources that ask for more than anybody should: each ends in an error, or in a grammar, within the limits.
@Suite struct HostileSourceTests {
    private static func nested(_ depth: Int) -> String {
        String(repeating: "{\"items\":", count: depth) + "{}" + String(repeating: "}", count: depth)
    }

    /// Each definition names the next twice: put in place they would be 2 to the power of 40.
    private static var doubling: String {
        let parts = (0..<40).map {
            "\"d\($0)\":{\"type\":\"array\",\"prefixItems\":[{\"$ref\":\"#/$defs/d\($0 + 1)\"},{\"$ref\":\"#/$defs/d\($0 + 1)\"}]}"
        }
        return "{\"$ref\":\"#/$defs/d0\",\"$defs\":{\(parts.joined(separator: ",")),\"d40\":{\"type\":\"null\"}}}"
    }

    @Test(arguments: [
        GrammarSource.jsonSchema(nested(400)),
        .jsonSchema("{\"pattern\":\"" + String(repeating: "a", count: 300_000) + "\"}"),
        .jsonSchema("{\"type\":\"string\",\"pattern\":\"(a|b)*a(a|b){30}$\"}"),
        .jsonSchema("{\"type\":\"string\",\"maxLength\":900000000}"),
        .jsonSchema("{\"$ref\":\"#\"}"), .jsonSchema("{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#\"}]}"),
        .jsonSchema(
            "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}"),
        .jsonSchema(
            "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/a\"}},\"required\":[\"a\"]}}}"
        ),
        .jsonSchema("{\"$ref\":\"http://example.com/other\"}"), .jsonSchema("{\"a\":\u{0}}"),
        .regex("(a|b)*a(a|b){40}"), .regex("((((a{100}){100}){100}){100})"),
        .regex(String(repeating: "(", count: 5_000)),
        .ebnf("root ::= root"), .ebnf("root ::= a{1000000}\na ::= \"x\""),
        .ebnf("root ::= " + String(repeating: "(", count: 500)),
    ])
    func endsInAnError(_ source: GrammarSource) {
        #expect(throws: GrammarError.self) { try Grammar(source) }
    }

    /// Members of which each has to be held against each other.
    private static var manyOfOne: String {
        let members = (0..<800).map {
            "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":\($0)}},\"required\":[\"a\"]}"
        }
        return "{\"oneOf\":[\(members.joined(separator: ","))]}"
    }

    @Test(arguments: [
        (GrammarSource.regex("(a|b)*a(a|b){40}"), "it grows to more than"),
        (
            .jsonSchema("{\"properties\":{\"a\":{\"pattern\":\"^(a|b)*a(a|b){30}$\"}}}"),
            "JSON Schema at /properties/a, keyword pattern: "
        ),
        (.jsonSchema(manyOfOne), "JSON Schema at #: it takes too long to compile"),
        (.jsonSchema("{\"enum\":[]}"), "JSON Schema at #: no text satisfies it"),
    ])
    func saysWhereAndWhatIsTooMuch(_ source: GrammarSource, _ reason: String) throws {
        let error = try #require(throws: GrammarError.self) { try Grammar(source) }
        #expect("\(error)".hasPrefix(reason), "\(error)")
        #expect(error.isBeyondLimits == !reason.hasSuffix("no text satisfies it"))
    }

    @Test func whatTakesLongIsToldOnce() throws {
        var count = 0
        _ = try Grammar(.jsonSchema("{\"type\":\"object\"}")) { count += 1 }
        #expect(count == 0)
        _ = try Grammar(.regex("[a-z]{0,30000}")) { count += 1 }
        #expect(count == 1)
    }

    @Test func aWidePatternIsFine() throws {
        let grammar = try Grammar(.regex("(a|b)*a(a|b){12}"))
        #expect(grammar.takes("bba" + String(repeating: "ab", count: 6)))
        #expect(!grammar.takes("b" + String(repeating: "ba", count: 6)))
    }

    @Test func manyNamesOfOneThingStaySmall() throws {
        let grammar = try Grammar(.jsonSchema(Self.doubling))
        #expect(grammar.stateCount < 20_000)
    }

    @Test func aLargeEnumIsFine() throws {
        let words = (0..<2_000).map { "\"value number \($0)\"" }.joined(separator: ",")
        let grammar = try Grammar(.jsonSchema("{\"enum\":[\(words)]}"))
        #expect(grammar.takes("\"value number 1999\""))
        #expect(!grammar.takes("\"value number 2000\""))
    }

    @Test func recursionIsFollowedAsDeepAsItMayGo() throws {
        let grammar = try Grammar(.jsonSchema("true"))
        let deep = { (count: Int) in String(repeating: "[", count: count) + String(repeating: "]", count: count) }
        #expect(grammar.takes(deep(300)))
        #expect(!grammar.takes(deep(3_000)))
    }
}
