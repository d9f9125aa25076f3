import Grammar
import Testing

@Suite struct StructuralTagTests {
    private static let legacy = """
        {"type":"structural_tag","structures":[{"begin":"<f=a>","schema":{"type":"object","properties":{"x":{"type":"integer"}},\
        "required":["x"],"additionalProperties":false},"end":"</f>"},{"begin":"<f=b>","schema":{"type":"boolean"},"end":"</f>"}],\
        "triggers":["<f="]}
        """

    @Test func freeTextGoesOnUntilATrigger() throws {
        let grammar = try Grammar(.structuralTag(Self.legacy))
        for text in ["", "any < text", "so <f=a>{\"x\":1}</f> and <f=b>true</f>.", "<f", "<<f=b>false</f>"] {
            #expect(grammar.takes(text), "\(text)")
        }
        for text in ["<f=c>", "<f=a>{}</f>", "<f=a>{\"x\":1}", "x <f=b>1</f>"] { #expect(!grammar.takes(text), "\(text)") }
    }

    @Test(arguments: [
        ("{\"type\":\"const_string\",\"value\":\"ab\"}", ["ab"], ["a", "abc"]),
        ("{\"type\":\"sequence\",\"elements\":[{\"type\":\"regex\",\"pattern\":\"a+\"},{\"type\":\"json_schema\",\"json_schema\":{\"type\":\"boolean\"}}]}", ["aatrue"], ["true", "aa"]),
        ("{\"type\":\"or\",\"elements\":[{\"type\":\"const_string\",\"value\":\"a\"},{\"type\":\"grammar\",\"grammar\":\"root ::= x\\nx ::= \\\"b\\\" x | \\\"c\\\"\"}]}", ["a", "bbc"], ["b", "ac"]),
        ("{\"type\":\"tag\",\"begin\":\"<t>\",\"content\":{\"type\":\"any_text\"},\"end\":\"</t>\"}", ["<t></t>", "<t>a<b</t>"], ["<t>a", "<t>a</t>b</t>"]),
        ("{\"type\":\"tags_with_separator\",\"separator\":\",\",\"at_least_one\":true,\"tags\":[{\"type\":\"tag\",\"begin\":\"(\",\"content\":{\"type\":\"const_string\",\"value\":\"x\"},\"end\":\")\"}]}", ["(x)", "(x),(x)"], ["", "(x)(x)", "(x),"]),
        ("{\"type\":\"triggered_tags\",\"triggers\":[\"(\"],\"at_least_one\":true,\"stop_after_first\":true,\"tags\":[{\"type\":\"tag\",\"begin\":\"(\",\"content\":{\"type\":\"const_string\",\"value\":\"x\"},\"end\":\")\"}]}", ["(x)", "free (x)"], ["", "free", "(x) more"]),
        ("{\"type\":\"triggered_tags\",\"triggers\":[\"(\"],\"at_least_one\":true,\"tags\":[{\"type\":\"tag\",\"begin\":\"(\",\"content\":{\"type\":\"const_string\",\"value\":\"x\"},\"end\":\")\"}]}", ["(x)", "free (x) more (x)"], ["", "free", "(x) ("]),
        ("{\"type\":\"repeat\",\"min\":1,\"max\":2,\"content\":{\"type\":\"const_string\",\"value\":\"x\"}}", ["x", "xx"], ["", "xxx"]),
    ])
    func takesWhatAFormatSays(_ format: String, _ good: [String], _ bad: [String]) throws {
        let grammar = try Grammar(.structuralTag("{\"type\":\"structural_tag\",\"format\":\(format)}"))
        for text in good { #expect(grammar.takes(text), "\(format) \(text)") }
        for text in bad { #expect(!grammar.takes(text), "\(format) \(text)") }
    }

    @Test func aSpecialTokenStandsForItsText() throws {
        let tag = "{\"type\":\"structural_tag\",\"format\":{\"type\":\"tag\",\"begin\":\"<call>{\",\"content\":{\"type\":\"const_string\",\"value\":\"x\"},\"end\":\"}\"}}"
        let vocabulary = Vocabulary([
            .init(bytes: Array("<call>".utf8), isSpecial: true), .init(bytes: Array("<".utf8)),
            .init(bytes: Array("{x}".utf8)), .init(bytes: Array("<end>".utf8), isSpecial: true),
        ])
        let grammar = try Grammar(.structuralTag(tag), options: GrammarOptions(specialTokens: ["<call>", "<end>"]))
        let masks = TokenMasks(grammar, vocabulary)
        #expect(masks.mask(of: grammar.start) == [0b0011])
        let called = try #require(grammar.state(grammar.start, after: 0, of: vocabulary))
        #expect(masks.mask(of: called) == [0b0100])
        #expect(try #require(grammar.state(called, after: 2, of: vocabulary)).isFinished)
    }

    @Test(arguments: [
        "{}", "[]", "{\"format\":{\"type\":\"nothing\"}}", "{\"structures\":[],\"triggers\":[]}",
        "{\"structures\":[{\"begin\":\"x\",\"schema\":{},\"end\":\"y\"}],\"triggers\":[\"z\"]}", "{\"format\":{\"type\":\"regex\",\"pattern\":\"(\"}}",
    ])
    func refusesWhatIsNone(_ text: String) {
        #expect(throws: GrammarError.self) { try Grammar(.structuralTag(text)) }
    }
}
