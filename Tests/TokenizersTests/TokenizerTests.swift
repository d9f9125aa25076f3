import Glibc
import JSON
import Testing
import Tokenizers

@Suite struct TokenizerTests {
    private func tokenizer(_ json: JSONValue, _ config: TokenizerConfig = TokenizerConfig()) throws -> Tokenizer {
        try Tokenizer(json: JSON.encode(json), file: "t.json", config: config)
    }

    /// Letters a to d, `ab`, `abc`, `cd`, and the special `<s>`.
    private let letters: JSONValue = [
        "added_tokens": [["id": 7, "content": "<s>", "special": true]],
        "model": [
            "type": "BPE", "vocab": ["a": 0, "b": 1, "c": 2, "d": 3, "ab": 4, "abc": 5, "cd": 6],
            "merges": ["a b", "ab c", "c d"],
        ],
    ]

    @Test func mergesInTheOrderOfRanks() throws {
        let t = try tokenizer(letters)
        #expect(t.encode("abcd", addSpecialTokens: false) == [5, 3])
        #expect(t.encode("bcd", addSpecialTokens: false) == [1, 6])
        #expect(t.encode("a<s>b", addSpecialTokens: false) == [0, 7, 1])
    }

    @Test func dropsCharactersItDoesNotKnow() throws {
        #expect(try tokenizer(letters).encode("azb", addSpecialTokens: false) == [4])
    }

    @Test func equivalentSpellingsAreDifferentTokens() throws {
        let t = try tokenizer([
            "model": ["vocab": ["é": 0, "e": 1, "\u{301}": 2, "e\u{301}": 3], "merges": [["e", "\u{301}"]]]
        ])
        #expect(t.encode("\u{E9}", addSpecialTokens: false) == [0])
        #expect(t.encode("e\u{301}", addSpecialTokens: false) == [3])
    }

    @Test func longWordsMergeAsShortOnesDo() throws {
        let t = try tokenizer(letters)
        // Longer than any search over all pairs: the heap decides, and must decide the same.
        for count in 1...60 {
            let word = String(repeating: "abcd", count: count)
            #expect(t.encode(word, addSpecialTokens: false) == Array(repeatElement([5, 3], count: count).joined()))
        }
    }

    @Test func configurationNamesTheSpecialTokens() throws {
        var config = TokenizerConfig()
        config.bosToken = "<s>"
        config.eosToken = "</s>"
        config.addsBOS = true
        let t = try tokenizer(letters, config)
        #expect(t.eosIDs == [8])
        #expect(t.isSpecial(8))
        #expect(!t.isSpecial(0))
        #expect(t.vocabularySize == 9)
        #expect(t.encode("ab", addSpecialTokens: true) == [7, 4])
        #expect(t.encode("ab", addSpecialTokens: false) == [4])
        #expect(t.idOf("ab") == 4)
        #expect(t.tokenOf(4) == "ab")
    }

    @Test func unknownIDsDecodeToNothing() throws {
        let t = try Golden.tokenizer("gpt2")
        #expect(t.decode([-1, Int32.max, 1_000_000], skipSpecialTokens: false) == "")
        #expect(t.tokenBytes(-1) == [])
        #expect(t.tokenBytes(Int32.max) == [])
    }

    @Test func tokenBytesArePartsOfCharacters() throws {
        for name in ["gpt2", "llama2"] {
            let t = try Golden.tokenizer(name)
            let bytes = t.encode("x 😀 é", addSpecialTokens: false).flatMap(t.tokenBytes)
            #expect(bytes.suffix(9) == Array("x 😀 é".utf8).suffix(9))
        }
    }

    @Test func incompleteCharactersDecodeToReplacements() throws {
        let t = try Golden.tokenizer("gpt2")
        let ids = try [0xF0, 0x9F, 0x41].map { byte in
            try #require((0..<Int32(t.vocabularySize)).first { t.tokenBytes($0) == [UInt8(byte)] })
        }
        #expect(t.decode(ids, skipSpecialTokens: false) == "\u{FFFD}A")
        #expect(t.decode(ids.prefix(2), skipSpecialTokens: false) == "\u{FFFD}")
    }

    @Test func manyThreadsGetTheSameIDs() async throws {
        let t = try Golden.tokenizer("llama3")
        let inputs = Array(Golden.inputs.prefix(300))
        let alone = inputs.map { t.encode($0, addSpecialTokens: true) }
        let together = await withTaskGroup(of: [[Int32]].self) { group in
            for _ in 0..<8 { group.addTask { inputs.map { t.encode($0, addSpecialTokens: true) } } }
            var results: [[[Int32]]] = []
            for await result in group { results.append(result) }
            return results
        }
        #expect(together.allSatisfy { $0 == alone })
    }
}

@Suite struct TokenizerConfigTests {
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        var template = Array("/tmp/tokenizer-tests-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        defer {
            for name in files.keys { unlink("\(folder)/\(name)") }
            rmdir(folder)
        }
        for (name, content) in files {
            let stream = try #require(fopen("\(folder)/\(name)", "w"))
            fputs(content, stream)
            fclose(stream)
        }
        try body(folder)
    }

    @Test func readsBothFilesAndTheTemplate() throws {
        try withFolder([
            "special_tokens_map.json": #"{"bos_token":"<b>","pad_token":{"content":"<p>"}}"#,
            "tokenizer_config.json": #"""
            {"bos_token":"<s>","eos_token":{"content":"</s>","lstrip":false},"model_max_length":4096,"add_bos_token":true,
             "additional_special_tokens":["<x>"],"chat_template":"old"}
            """#,
            "chat_template.jinja": "new",
        ]) { folder in
            let config = try TokenizerConfig(folder: folder)
            #expect(config.bosToken == "<s>")
            #expect(config.eosToken == "</s>")
            #expect(config.padToken == "<p>")
            #expect(config.modelMaxLength == 4096)
            #expect(config.addsBOS == true)
            #expect(config.extraSpecialTokens == ["<x>"])
            #expect(config.chatTemplates == ["default": "new"])
        }
    }

    @Test func tenToTheThirtiethIsNoLimit() throws {
        try withFolder(["tokenizer_config.json": #"{"model_max_length":1000000000000000019884624838656}"#]) { folder in
            let limit = try TokenizerConfig(folder: folder).modelMaxLength
            #expect(limit == nil)
        }
    }

    @Test(arguments: [
        #"{"bos_token":false}"#, #"{"pad_token":3,"sep_token":["a"]}"#, #"{"chat_template":7}"#,
        #"{"chat_template":[7,{}]}"#,
        #"{"additional_special_tokens":"none"}"#, #"{"extra_special_tokens":{"image":[1],"audio":null}}"#,
    ])
    func whatIsNoTokenAndNoTemplateCountsAsNotThere(json: String) throws {
        try withFolder(["tokenizer_config.json": json]) { folder in
            let config = try TokenizerConfig(folder: folder)
            #expect(config.bosToken == nil && config.padToken == nil && config.extraSpecialTokens.isEmpty)
            #expect(config.chatTemplates.isEmpty)
        }
    }

    @Test func templatesComeAsTextAsListOrByName() throws {
        let expected = ["default": "a", "tool_use": "b"]
        for json in [
            #"{"chat_template":[{"name":"default","template":"a"},{"name":"tool_use","template":"b"},{"name":"x"}]}"#,
            #"{"chat_template":{"default":"a","tool_use":"b","x":null}}"#,
        ] {
            try withFolder(["tokenizer_config.json": json]) { folder in
                let config = try TokenizerConfig(folder: folder)
                #expect(config.chatTemplates == expected)
            }
        }
    }

    @Test func aFlagIsABooleanOrANumber() throws {
        try withFolder(["tokenizer_config.json": #"{"add_bos_token":1,"add_eos_token":0}"#]) { folder in
            let config = try TokenizerConfig(folder: folder)
            #expect(config.addsBOS == true && config.addsEOS == false)
        }
        try withFolder(["tokenizer_config.json": #"{"add_bos_token":"yes"}"#]) { folder in
            #expect(
                throws: TokenizerError.malformed(
                    file: "\(folder)/tokenizer_config.json", path: "add_bos_token",
                    reason: "expected boolean, got string")
            ) { try TokenizerConfig(folder: folder) }
        }
    }
}

@Suite struct UnicodeTableTests {
    /// Bytes as tokens, one for each, so that ids show the text that reaches the model.
    private func tokenizer(_ components: JSONObject) throws -> Tokenizer {
        let spelled = (1..<0x144).compactMap { Unicode.Scalar(UInt32($0)) }.map(String.init)
        var root: JSONObject = [
            "model": ["vocab": .object(JSONObject(spelled.enumerated().map { ($1, .int(Int64($0))) })), "merges": []],
            "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false],
            "decoder": ["type": "ByteLevel"],
        ]
        for (key, value) in components { root[key] = value }
        return try Tokenizer(json: JSON.encode(.object(root)), file: "t.json", config: TokenizerConfig())
    }

    private func text(_ input: String, _ components: JSONObject) throws -> String {
        let t = try tokenizer(components)
        return t.decode(t.encode(input, addSpecialTokens: false), skipSpecialTokens: false)
    }

    @Test(arguments: [
        ("NFC", "e\u{301}\u{3FF}", "\u{E9}\u{3FF}"), ("NFD", "\u{1E69}", "s\u{323}\u{307}"),
        ("NFKC", "ﬁ\u{2460}", "fi1"),
        ("NFKD", "\u{FB2C}", "\u{5E9}\u{5BC}\u{5C1}"), ("NFC", "q\u{307}\u{323}", "q\u{323}\u{307}"),
        // Later than the tables of the reference.
        ("NFKD", "\u{32FF}", "\u{32FF}"), ("NFD", "\u{11938}", "\u{11938}"),
    ])
    func normalizesAsTheReference(_ form: String, _ input: String, _ expected: String) throws {
        let output = try text(input, ["normalizer": ["type": .string(form)]])
        #expect(Array(output.utf8) == Array(expected.utf8))
    }

    @Test func longRunsOfMarksAreSortedInPlace() throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 20_000)
        let output = try text("x" + marks, ["normalizer": ["type": "NFD"]])
        let expected = "x" + String(repeating: "\u{323}", count: 20_000) + String(repeating: "\u{301}", count: 20_000)
        #expect(output.unicodeScalars.elementsEqual(expected.unicodeScalars))
    }

    @Test func marksAreThoseOfTheReference() throws {
        let stripped = try text("a\u{301}b\u{AFA}c\u{20DD}", ["normalizer": ["type": "StripAccents"]])
        #expect(Array(stripped.utf8) == Array("ab\u{AFA}c".utf8))
    }
}
