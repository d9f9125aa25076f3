import Grammar
import Testing

@Suite struct EBNFTests {
    @Test(arguments: [
        ("root ::= \"a\" b* | \"x\"\nb ::= [0-9]", ["a", "a12", "x"], ["", "x1", "b"]),
        ("root ::= \"(\" root \")\" | \"x\" # comment", ["x", "((x))"], ["(x", "()"]),
        ("root ::= (\"a\"\n | \"b\"){2}\n\nother ::= root", ["ab", "ba"], ["a", "aba"]),
        ("root ::= expr\nexpr ::= expr \"+\" term | term\nterm ::= [0-9]+", ["1", "1+22+3"], ["+1", "1+"]),
        ("root ::= item (\",\" item)*\nitem ::= \"é\" | [^,a]", ["é", "b,é"], ["a", ",", "b,"]),
        ("root ::= \"\\\"\" [\\x41-\\u0043] \"\\n\"", ["\"A\n", "\"C\n"], ["A"]),
        ("root ::= list\nlist ::= \"a\" list | \"a\"", ["a", "aaaa"], ["", "b"]),
        ("root ::= a a\na ::= \"x\" a \"y\" | \"\"", ["", "xy", "xyxy", "xxyyxy"], ["x", "yx"]),
    ])
    func takesWhatTheRulesSay(_ text: String, _ good: [String], _ bad: [String]) throws {
        let grammar = try Grammar(.ebnf(text))
        for text in good { #expect(grammar.takes(text), "\(text)") }
        for text in bad { #expect(!grammar.takes(text), "\(text)") }
    }

    @Test(arguments: [
        "other ::= \"a\"", "root ::= missing", "root = \"a\"", "root ::= \"a", "root ::= (\"a\"", "root ::= [a",
        "root ::= a\na ::= b\nb ::= a \"x\" | root \"y\"", "root ::= root", "root ::= \"a\" root",
        "root ::= \"a\"\nroot ::= \"b\"",
    ])
    func refusesWhatIsNoGrammar(_ text: String) {
        #expect(throws: GrammarError.self) { try Grammar(.ebnf(text)) }
    }

    @Test func longListsByRecursionNeedNoDepth() throws {
        let grammar = try Grammar(.ebnf("root ::= \"a\" root | \"a\""))
        #expect(grammar.takes(String(repeating: "a", count: 5_000)))
        #expect(grammar.start.isComplete == false)
    }
}
