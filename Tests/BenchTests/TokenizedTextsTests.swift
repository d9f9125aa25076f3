import Bench
import Foundation
import Grammar
import Testing
import TokenizerSource

/// Values of schemas, token by token, in every way in which a tokenizer's vocabulary spells them. The public suite goes the same way by
/// `compare_schema_suite.py --model`.
@Suite struct TokenizedTextsTests {
    /// Byte-level BPE, and SentencePiece with bytes for what it has no piece for.
    private static let tokenizers: [TokenizedTexts] = ["llama-tied", "gemma2-reward"].map { name in
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        do { return TokenizedTexts(try openTokenizer(path: tests.appending(path: "Fixtures/\(name)").path)) } catch {
            fatalError("\(error)")
        }
    }

    /// Schemas with values that satisfy them, and others.
    private static let cases: [(schema: String, good: [String], bad: [String])] = [
        (
            #"{"type":"object","properties":{"lamp":{"type":"integer"}},"required":["lamp"]}"#,
            [#"{"lamp": 7}"#, #"{"lamp": -12, "水位": [1, {"a": null}]}"#],
            [#"{}"#, #"{"lamp": 7.5}"#, #"{"lamp": "7"}"#]
        ),
        (
            #"{"type":"string","minLength":2,"maxLength":3}"#, [#""éß""#, #""\u00e9水x""#, #""\n\ud83d\ude00""#],
            [#""é""#, #""abcd""#]
        ),
        (#"{"type":"string","pattern":"^lamp [0-9]+$"}"#, [#""lamp 94""#], [#""lamp""#, #""the lamp 94""#]),
        (
            #"{"enum":["red","blue",[1,2],{"a":true}]}"#, [#""red""#, "[1, 2]", #"{"a": true}"#],
            [#""green""#, "[2, 1]"]
        ),
        (#"{"type":"number","minimum":-1.5,"exclusiveMaximum":3}"#, ["-1.5", "2.999", "0"], ["-1.51", "3", "1e9"]),
        (
            #"{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":2}"#, ["[true]", "[true, false]"],
            ["[]", "[true, true, true]", "[1]"]
        ),
        (
            #"{"oneOf":[{"type":"integer"},{"type":"string","format":"date"}]}"#, ["94", #""2024-02-29""#],
            [#""2023-02-29""#, "9.4"]
        ),
        (
            ##"{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"t":{"$ref":"#/$defs/t"}},"additionalProperties":false}}}"##,
            [#"{"t": {"t": {}}}"#], [#"{"t": {"u": {}}}"#, #"{"t": 1}"#]
        ),
        (
            #"{"type":"object","patternProperties":{"^é":{"type":"null"}},"additionalProperties":{"type":"string"}}"#,
            [#"{"é1": null, "b": "水"}"#], [#"{"é1": "x"}"#, #"{"b": null}"#]
        ),
        (
            #"{"type":"array","contains":{"const":"lamp"},"minContains":2,"uniqueItems":false}"#,
            [#"["lamp", 1, "lamp"]"#], [#"["lamp", 1]"#]
        ),
    ]

    @Test(arguments: tokenizers.indices) func everyWayToCutATextHasItsVerdict(_ index: Int) throws {
        let tokenizer = Self.tokenizers[index]
        var (texts, walks) = (0, 0)
        for (schema, good, bad) in Self.cases {
            let masks = TokenMasks(try Grammar(.jsonSchema(schema)), tokenizer.vocabulary)
            for text in good + bad {
                let isGood = good.contains(text)
                #expect(masks.grammar.takes(text) == isGood, "\(schema) \(text)")
                let verdicts = tokenizer.verdicts(text, masks, seeds: 0..<12)
                #expect(!verdicts.isEmpty && verdicts.allSatisfy { $0 == isGood }, "\(schema) \(text) \(verdicts)")
                texts += 1
                walks += verdicts.count
            }
        }
        #expect(walks > texts + texts / 2)
    }

    @Test func tokenizationsSpellTheTextEachInItsWay() {
        let text = #"{"the keeper": "and then the lamp", "水位": 94}"#
        let tokenizer = Self.tokenizers[0]
        let ways = tokenizer.tokenizations(of: text, seeds: 0..<12)
        #expect(ways.count > 4 && Set(ways).count == ways.count)
        for way in ways { #expect(way.flatMap { tokenizer.vocabulary.bytes(of: $0) } == Array(text.utf8)) }
        #expect(ways.contains { $0.count == text.utf8.count })
    }
}
