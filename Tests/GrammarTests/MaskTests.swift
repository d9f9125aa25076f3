import Grammar
import Testing

@Suite struct MaskTests {
    static let vocabulary = Vocabulary(
        (0...255).map { Vocabulary.Token(bytes: [UInt8($0)]) }
            + [
                "{\"", "\":", "\",\"", "true", "null", "},", "}]", "[[", "]]", "12", "é\"", "\"}", " \"a", "a\": 1}",
                "\"\"", "\\u00", ", ",
            ]
            .map { Vocabulary.Token(bytes: Array($0.utf8)) }
            + [
                Vocabulary.Token(bytes: Array("<end>".utf8), isSpecial: true),
                Vocabulary.Token(bytes: [0xC3, 0xA9, 0x22]),
            ])

    @Test(arguments: [
        GrammarSource.jsonSchema("true"), .regex("(a|é|12)*b?"),
        .ebnf("root ::= \"[\" (root (\",\" root)*)? \"]\" | \"12\""),
        .jsonSchema(
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\",\"maxLength\":3}}}"
        ),
    ])
    func masksAreWhatTokenByTokenTrialsSay(_ source: GrammarSource) throws {
        let grammar = try Grammar(source)
        let masks = TokenMasks(grammar, Self.vocabulary)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4 {
            var state = grammar.start
            for _ in 0..<24 {
                let mask = masks.mask(of: state)
                var allowed: [Int32] = []
                for id in 0..<Int32(Self.vocabulary.size) {
                    let isAllowed = grammar.state(state, after: id, of: Self.vocabulary) != nil
                    #expect(isAllowed == (mask[Int(id) >> 6] >> UInt64(id & 63) & 1 == 1), "\(source) \(id) \(state)")
                    if isAllowed { allowed.append(id) }
                }
                guard let id = allowed.randomElement(using: &random) else { break }
                state = grammar.state(state, after: id, of: Self.vocabulary)!
            }
        }
    }
}
