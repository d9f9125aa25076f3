import JSON
import TestSupport
import Testing
import Tokenizers

/// How long inputs may be and what is done to them, by the files of a folder.
@Suite struct InputRulesTests {
    /// A folder with a WordPiece tokenizer whose file has this `truncation`, and other files.
    private func rules(_ truncation: JSONValue, _ files: [String: String] = [:]) throws -> (InputRules, Tokenizer) {
        let root = try JSON.parse(Golden.bytes(of: "\(Golden.folder)/wordpiece.tokenizer.json"))
        let folder = TemporaryFolder()
        folder.write("tokenizer.json", JSON.encode(root.setting("truncation", to: truncation)))
        for (name, text) in files { folder.write(name, text: text) }
        let tokenizer = try Tokenizer(folder: folder.path)
        let packed = try Tokenizer(packed: tokenizer.packed(), folder: folder.path)
        #expect(packed.inputRules == tokenizer.inputRules)
        return (tokenizer.inputRules, tokenizer)
    }

    private let stated: JSONValue = [
        "max_length": 128, "strategy": "OnlyFirst", "stride": 0, "direction": "Left",
    ]

    @Test func withoutAWordOfItNothingIsCut() throws {
        let (rules, _) = try rules(.null)
        #expect(rules == InputRules() && rules.longestInput == nil && rules.prompt.isEmpty)
    }

    @Test func theTokenizersFileSaysHowInputsAreCut() throws {
        let (rules, _) = try rules(stated)
        #expect(rules.longestInput == 128 && rules.strategy == .onlyFirst && rules.keepsEnd)
        #expect(rules.trainedLength == nil)
    }

    @Test func theEmbeddingModelsOwnFileWins() throws {
        for name in ["sentence_bert_config.json", "sentence_xlm-roberta_config.json"] {
            let (rules, _) = try rules(stated, [name: #"{"max_seq_length":256,"do_lower_case":true}"#])
            #expect(rules.longestInput == 256 && rules.trainedLength == 256 && rules.lowercases)
        }
        let (rules, _) = try rules(stated, ["sentence_bert_config.json": #"{"max_seq_length":null}"#])
        #expect(rules.longestInput == 128 && rules.trainedLength == nil && !rules.lowercases)
    }

    @Test func theConfigurationSaysWhichEndStays() throws {
        let (rules, _) = try rules(stated, ["tokenizer_config.json": #"{"truncation_side":"right"}"#])
        #expect(!rules.keepsEnd)
    }

    @Test func textsAreCutAndTold() throws {
        let (_, tokenizer) = try rules(.null)
        let text = "the quick brown fox jumps over the lazy dog"
        let made = try tokenizer.encode(text, nil, addSpecialTokens: true, truncation: Truncation(limit: 6))
        #expect(made.ids.count == 6 && made.isTruncated)
    }

    @Test(arguments: [
        ("ΌΣΟΣ ΣΑΣ", "όσος σας"), ("ΑΣ'", "ας'"), ("ΑΣ'Α", "ασ'α"), ("Σ", "σ"), ("İX", "i\u{307}x"),
        ("HÄßLICH", "häßlich"),
    ])
    func lowerCaseIsPythons(_ text: String, _ expected: String) {
        var rules = InputRules()
        #expect(rules.prepared(text) == text)
        rules.lowercases = true
        #expect(Array(rules.prepared(text).utf8) == Array(expected.utf8))
    }

    @Test func whatIsNoRuleIsNamed() {
        for (truncation, message) in [
            (["strategy": "OnlyFirst"], "truncation.max_length: required field is missing"),
            (["max_length": 8, "strategy": "Both"], #"truncation.strategy: unknown strategy "Both""#),
            (["max_length": 8, "direction": "Up"], #"truncation.direction: unknown direction "Up""#),
        ] as [(JSONValue, String)] {
            let error = #expect(throws: TokenizerError.self) { _ = try rules(truncation) }
            #expect(error?.description.hasSuffix("tokenizer.json: \(message)") == true)
        }
    }
}
