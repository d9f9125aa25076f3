import JSON
import Testing
import Tokenizers
import Values

/// Whatever stands in a tokenizer.json, reading it ends in a tokenizer or in an error that names the place.
@Suite struct MalformedFileTests {
    private static let kinds = [
        "llama3", "llama2", "added", "unknown_fused", "replacing", "wordpiece", "unigram", "unigram_bytes",
    ]

    private static func file(_ name: String) -> [UInt8] {
        Golden.bytes(of: "\(Golden.folder)/\(name).tokenizer.json")
    }

    private func outcome(_ bytes: [UInt8]) -> TokenizerError? {
        do {
            let tokenizer = try Tokenizer(json: bytes, file: "t.json", config: TokenizerConfig())
            // What loads must also work.
            _ = tokenizer.decode(
                tokenizer.encode("Hello  wörld 123\n<|x|>", addSpecialTokens: true), skipSpecialTokens: true)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: kinds)
    func cutFilesAreNotJSON(_ name: String) {
        let whole = Self.file(name)
        #expect(outcome(whole) == nil)
        for length in stride(from: 0, to: whole.count - 1, by: 61) {
            guard case .notJSON(file: "t.json", let reason)? = outcome(Array(whole[..<length])) else {
                Issue.record("\(name) cut at \(length) was read")
                continue
            }
            #expect(reason.contains("at byte"))
        }
    }

    @Test(arguments: kinds)
    func flippedBytesNeverTrap(_ name: String) {
        let whole = Self.file(name)
        var random = SplitMix64(seed: 7)
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            if let error = outcome(bytes) { #expect(error.description.hasPrefix("t.json: ")) }
        }
    }

    /// Every value in the components replaced by values of other types, one at a time.
    @Test(arguments: kinds)
    func wrongTypesNeverTrap(_ name: String) throws {
        var root = try JSON.parse(Self.file(name))
        // The vocabulary's entries are all alike; a few are enough.
        if case .object(var model)? = root["model"], let vocabulary = model["vocab"]?.objectValue {
            model["vocab"] = .object(JSONObject(Array(vocabulary.prefix(20))))
            model["merges"] = []
            root = root.setting("model", to: .object(model))
        }
        let intruders: [JSONValue] = [
            nil, true, -1, 1e300, 9_000_000_000_000_000_000, "x", "", [], [nil], [["a", "b", "c"]],
            ["type": "Nonsense"],
        ]
        var failures = 0
        for variant in root.variants(intruders) {
            if let error = outcome(JSON.encode(variant)) {
                failures += 1
                #expect(error.description.hasPrefix("t.json: "))
            }
        }
        #expect(failures > 20)
    }

    @Test(arguments: [
        (#"{}"#, "t.json: model: required field is missing"),
        (#"[]"#, "t.json: expected object, got array"),
        (#"{"model":{"type":"WordLevel"}}"#, #"t.json: model.type: model "WordLevel" is not supported"#),
        (#"{"model":{"type":"Unigram"}}"#, "t.json: model.vocab: required field is missing"),
        (
            #"{"model":{"type":"Unigram","vocab":[["a"]]}}"#,
            "t.json: model.vocab[0]: expected a token and its score"
        ),
        (
            #"{"model":{"type":"Unigram","vocab":[["a",-1]],"unk_id":1}}"#,
            "t.json: model.unk_id: token id 1 is out of range 0..<1"
        ),
        (
            #"{"model":{"type":"WordPiece","vocab":{"a":0}}}"#,
            #"t.json: model: token "[UNK]" is not in the vocabulary"#
        ),
        (
            #"{"model":{"vocab":{"a":0},"merges":[]},"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}}"#,
            "t.json: normalizer.precompiled_charsmap: expected a table of replacements in base64"
        ),
        (
            #"{"model":{"vocab":{"a":0},"merges":[]},"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}]}}"#,
            "t.json: post_processor.single[0].Sequence.id: only sequence A can stand in a single template"
        ),
        (
            #"{"model":{"vocab":{"a":-1},"merges":[]}}"#,
            #"t.json: model.vocab["a"]: token id -1 is out of range 0..<16777216"#
        ),
        (
            #"{"model":{"vocab":{"a":99999999},"merges":[]}}"#,
            #"t.json: model.vocab["a"]: token id 99999999 is out of range 0..<16777216"#
        ),
        (#"{"model":{"vocab":{"a":"0"},"merges":[]}}"#, #"t.json: model.vocab["a"]: expected integer, got string"#),
        (
            #"{"model":{"vocab":{"a":0},"merges":["a"]}}"#,
            #"t.json: model.merges[0]: expected two tokens with one space between them, got "a""#
        ),
        (
            #"{"model":{"vocab":{"a":0},"merges":[["a","b"]]}}"#,
            #"t.json: model.merges[0]: token "b" is not in the vocabulary"#
        ),
        (
            #"{"model":{"vocab":{"a":0},"merges":[["a","a"]]}}"#,
            #"t.json: model.merges[0]: token "aa" is not in the vocabulary"#
        ),
        (
            #"{"model":{"vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}}"#,
            "t.json: pre_tokenizer.pattern.Regex: regular expression: end pattern with unmatched parenthesis"
        ),
        (
            #"{"model":{"vocab":{"a":0},"merges":[]},"decoder":{"type":"Sequence","decoders":[{"type":"CTC"}]}}"#,
            #"t.json: decoder.decoders[0].type: decoder "CTC" is not supported"#
        ),
    ])
    func errorsNameThePlace(_ json: String, _ message: String) {
        #expect(outcome(Array(json.utf8))?.description == message)
    }

    @Test func missingFilesAreNamed() {
        #expect(throws: TokenizerError.unreadable(file: "/nowhere/tokenizer.json", reason: "no such file")) {
            try Tokenizer(folder: "/nowhere")
        }
    }

    @Test func nestingBombsAreErrors() {
        let bomb = String(repeating: #"{"normalizer":{"type":"Sequence","normalizers":["#, count: 20_000)
        guard case .notJSON? = outcome(Array(bomb.utf8)) else {
            Issue.record("a nesting bomb was read")
            return
        }
    }
}

extension JSONValue {
    func setting(_ key: String, to value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }

    /// The value with each part of it, one at a time, replaced by each of some others.
    func variants(_ replacements: [JSONValue]) -> [JSONValue] {
        var result = replacements
        switch self {
        case .object(let members):
            for (key, member) in members {
                result += member.variants(replacements).map { setting(key, to: $0) }
            }
        case .array(let elements):
            for (index, element) in elements.enumerated().prefix(3) {
                result += element.variants(replacements).map { variant in
                    var copy = elements
                    copy[index] = variant
                    return .array(copy)
                }
            }
        default: break
        }
        return result
    }
}
