import JSON
import TestSupport
import Testing
import Tokenizers

/// Folders without tokenizer.json, as transformers uses them (make_vocabulary_goldens.py).
@Suite struct FolderVocabularyTests {
    private static let files = "\(Golden.folder)/Vocabularies"

    private static let cases: JSONObject = {
        let bytes = Golden.bytes(of: "\(files)/cases.json")
        return try! JSON.parse(bytes).objectValue!
    }()

    static let names: [String] = cases.keys

    /// A folder as a case has it.
    private func folder(_ name: String) -> TemporaryFolder {
        let folder = TemporaryFolder()
        let entry = Self.cases[name]!
        for (target, source) in entry["files"]!.objectValue! {
            folder.write(target, Golden.bytes(of: "\(Self.files)/\(source.stringValue!)"))
        }
        for key in ["config", "tokenizer_config"] {
            if let value = entry[key], !value.isNull { folder.write("\(key).json", JSON.encode(value)) }
        }
        return folder
    }

    @Test func everyKindOfFolderIsTried() {
        #expect(Self.names.count >= 24)
    }

    @Test(arguments: names, [false, true])
    func aFolderIsUsedAsTheReferenceUsesIt(_ name: String, isPacked: Bool) throws {
        let folder = folder(name)
        var tokenizer = try Tokenizer(folder: folder.path)
        if isPacked { tokenizer = try Tokenizer(packed: tokenizer.packed(), folder: folder.path) }
        let rows = Golden.lines(of: "Vocabularies/\(name).jsonl")
        #expect(rows.count >= 110)
        for row in rows {
            let input = Golden.inputs[row[0]!.intValue!]
            if case .int? = row[1] {
                let made = try tokenizer.encode(
                    input, Golden.inputs[row[1]!.intValue!], addSpecialTokens: true)
                #expect(Golden.ids(made.ids, equal: row[2]!), "\(row[0]!) and \(row[1]!)")
                #expect(Golden.ids(made.types, equal: row[3]!), "\(row[0]!) and \(row[1]!)")
                continue
            }
            let ids = tokenizer.encode(input, addSpecialTokens: true)
            #expect(Golden.ids(ids, equal: row[1]!), "\(row[0]!): \(ids)")
            let text = tokenizer.decode(ids, skipSpecialTokens: false)
            #expect(Golden.text(text, equals: row[2], among: [input]), "\(row[0]!): \(text.debugDescription)")
            let bare = tokenizer.decode(ids, skipSpecialTokens: true)
            #expect(Golden.text(bare, equals: row[3], among: [input, text]), "\(row[0]!): \(bare.debugDescription)")
        }
    }

    @Test func specialTokensHaveTheNamesOfTheirFamily() throws {
        for (name, end, start) in [
            ("llama", "</s>", "<s>"), ("gemma", "<eos>", "<bos>"), ("xlm_roberta", "</s>", "<s>"),
            ("t5", "</s>", nil), ("qwen2", "<|endoftext|>", nil), ("alone", "</s>", "<s>"), ("mpnet", "</s>", "<s>"),
        ] {
            let folder = folder(name)
            let tokenizer = try Tokenizer(folder: folder.path)
            #expect(tokenizer.config.eosToken == end && tokenizer.config.bosToken == start, "\(name)")
            #expect(tokenizer.eosIDs == [try #require(tokenizer.idOf(end))], "\(name)")
        }
    }

    @Test func tokensOfAnOlderListAreAdded() throws {
        let folder = folder("llama")
        folder.write("added_tokens.json", text: #"{"<x>": 1001, "<pad>": 1000}"#)
        folder.write("special_tokens_map.json", text: #"{"pad_token": "<pad>"}"#)
        let tokenizer = try Tokenizer(folder: folder.path)
        #expect(tokenizer.idOf("<pad>") == 1000 && tokenizer.idOf("<x>") == 1001)
        #expect(tokenizer.isSpecial(1000) && !tokenizer.isSpecial(1001))
        #expect(tokenizer.encode("<x><pad>", addSpecialTokens: false) == [1001, 1000])
        folder.write("added_tokens.json", text: #"{"<x>": -4}"#)
        #expect(
            throws: TokenizerError.malformed(
                file: "\(folder.path)/added_tokens.json", path: "[\"<x>\"]",
                reason: "token id -4 is out of range 0..<16777216")
        ) { try Tokenizer(folder: folder.path) }
    }

    @Test func aClassOfOtherRulesIsRefused() throws {
        let folder = folder("xlm_roberta")
        folder.write("tokenizer_config.json", text: #"{"tokenizer_class":"MBart50TokenizerFast"}"#)
        #expect(
            throws: TokenizerError.unsupported(
                file: "\(folder.path)/tokenizer_config.json", path: "tokenizer_class",
                feature: #"class "MBart50Tokenizer" without a tokenizer.json"#)
        ) { try Tokenizer(folder: folder.path) }
    }
}

/// Whatever a file holds, reading it ends in a tokenizer or in an error that names the place.
@Suite struct MalformedVocabularyTests {
    private func fixture(_ name: String) -> [UInt8] { Golden.bytes(of: "\(Golden.folder)/Vocabularies/\(name)") }

    private func outcome(_ files: [String: [UInt8]]) -> TokenizerError? {
        let folder = TemporaryFolder()
        for (name, bytes) in files { folder.write(name, bytes) }
        do {
            let tokenizer = try Tokenizer(folder: folder.path)
            // What loads must also work.
            _ = tokenizer.decode(
                tokenizer.encode("Hello  wörld 123\n<s>", addSpecialTokens: true), skipSpecialTokens: true)
            return nil
        } catch {
            #expect(error.description.hasPrefix(folder.path))
            return error
        }
    }

    @Test(arguments: ["bytes.bpe.model", "symbols.bpe.model", "words.unigram.model"])
    func aModelThatIsCutOffIsRefusedWithThePlace(_ name: String) {
        let whole = fixture(name)
        var refused = 0
        for length in stride(from: 1, to: whole.count, by: 37) {
            guard let error = outcome(["tokenizer.model": Array(whole[..<length])]) else { continue }
            refused += 1
            #expect(error.description.contains("at byte") || error.description.contains("is missing"), "\(error)")
        }
        // A cut between two fields leaves a sound model of fewer pieces.
        #expect(refused > whole.count / 37 / 2)
    }

    @Test(arguments: ["bytes.bpe.model", "words.unigram.model", "ranks.tiktoken"])
    func flippedBitsNeverTrap(_ name: String) {
        let whole = fixture(name)
        for seed in 0..<200 {
            var bytes = whole
            for step in 1...3 {
                let place = (seed * 7_919 * step + step * 104_729) % bytes.count
                bytes[place] ^= 1 << UInt8((seed + step) % 8)
            }
            _ = outcome(["tokenizer.model": bytes])
        }
    }

    @Test func whatIsWrongIsToldWithItsPlace() {
        func message(_ files: [String: [UInt8]]) -> String {
            outcome(files).map { String($0.description.split(separator: "/").last!) } ?? "read"
        }
        let vocabulary = Array(#"{"a":0,"b":1,"ab":2}"#.utf8)
        for (files, expected) in [
            (["tokenizer.model": [0x0A, 0x7F]], "tokenizer.model: ends inside the field at byte 0"),
            (
                ["tokenizer.model": [0x0A, 2, 0x0A, 9]],
                "tokenizer.model: pieces[0]: ends inside the field at byte 2"
            ),
            (["tokenizer.model": [0x0A, 3, 0x0A, 1, 0xFF]], "tokenizer.model: pieces[0]: is not UTF-8"),
            (
                ["tokenizer.model": [0x0A, 2, 0x18, 9]],
                "tokenizer.model: pieces[0]: tokens of the kind 9 do not exist"
            ),
            (
                ["tokenizer.model": [0x0A, 3, 0x0A, 1, 0x61, 0x12, 2, 0x18, 3]],
                "tokenizer.model: trainer_spec: models of the kind 3 are not supported"
            ),
            (
                ["tokenizer.model": [0x0A, 3, 0x0A, 1, 0x61, 0x12, 3, 0xC0, 2, 7]],
                "tokenizer.model: trainer_spec.unk_id: token id 7 is out of range 0..<1"
            ),
            (
                ["tokenizer.model": [0x0A, 3, 0x0A, 1, 0x61, 0x1A, 3, 0x12, 1, 0x61]],
                "tokenizer.model: normalizer_spec: precompiled_charsmap: is no table of replacements"
            ),
            (
                ["tokenizer.model": Array("YQ== 0\nYg==\n".utf8)],
                "tokenizer.model: line 2: neither a piece of SentencePiece nor a token in base64 and its rank"
            ),
            (["vocab.json": vocabulary], "merges.txt: no such file"),
            (
                ["vocab.json": vocabulary, "merges.txt": Array("#version: 0.2\na c\n".utf8)],
                #"merges.txt: line 2: token "c" is not in the vocabulary"#
            ),
            (
                ["vocab.json": Array(#"{"a":"x"}"#.utf8), "merges.txt": []],
                #"vocab.json: ["a"]: expected integer, got string"#
            ),
        ] as [([String: [UInt8]], String)] {
            #expect(message(files) == expected)
        }
    }

    @Test func emptyFilesAreRefused() {
        for name in ["tokenizer.model", "vocab.json", "vocab.txt"] { #expect(outcome([name: []]) != nil, "\(name)") }
    }
}
