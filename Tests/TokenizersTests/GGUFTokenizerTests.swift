import JSON
import Testing
import Tokenizers

@Suite struct GGUFTokenizerTests {
    /// The vocabulary of a committed tokenizer.json as a GGUF file would hold it.
    private func vocabulary(_ name: String, pre: String?) throws -> GGUFTokenizerKeys {
        let root = try JSON.parse(Golden.bytes(of: "\(Golden.folder)/\(name).tokenizer.json"))
        let ids = try #require(root["model"]?["vocab"]?.objectValue)
        let added = try #require(root["added_tokens"]?.arrayValue)
        var tokens = [String](repeating: "", count: ids.count)
        var types = [Int32](repeating: 1, count: ids.count)
        for (token, id) in ids { tokens[id.intValue!] = token }
        for token in added {
            let id = token["id"]!.intValue!
            while tokens.count <= id {
                tokens.append("")
                types.append(1)
            }
            tokens[id] = token["content"]!.stringValue!
            types[id] = token["special"]!.boolValue! ? 3 : 4
        }
        let merges = try #require(root["model"]?["merges"]?.arrayValue).map { merge in
            merge.stringValue ?? merge.arrayValue!.map { $0.stringValue! }.joined(separator: " ")
        }
        return GGUFTokenizerKeys(tokens: tokens, tokenTypes: types, merges: merges, model: "gpt2", pre: pre)
    }

    @Test(arguments: [
        ("gpt2", "gpt-2"), ("gpt2", "default"), ("llama3", "llama-bpe"), ("qwen2", "qwen2"), ("smollm", "starcoder"),
        ("falcon", "falcon"), ("deepseek", "deepseek-coder"), ("gpt4o", "gpt-4o"), ("gpt4o", "minimax-m2"),
        ("gpt2", "trillion"), ("qwen2", "hunyuan"),
    ])
    func namedRulesSplitAsTheModelsOwnFiles(_ name: String, _ pre: String) throws {
        let file = try Golden.tokenizer(name)
        let gguf = try Tokenizer(packed: Tokenizer(gguf: vocabulary(name, pre: pre)).packed(), folder: nil)
        for golden in Golden.cases(of: name) {
            #expect(
                gguf.encode(golden.input, addSpecialTokens: false)
                    == file.encode(golden.input, addSpecialTokens: false),
                "input \(golden.index)")
        }
    }

    @Test(arguments: [
        "llama3", "dbrx", "chatglm-bpe", "stablelm2", "tekken", "deepseek-llm", "deepseek-v3", "refact", "command-r",
        "mpt", "olmo", "bloom", "viking", "smollm", "something new", "", "jais-2", "minicpm5", "youtu", "superbpe",
        "bailingmoe2", "seed-coder", "exaone-moe", "spark2_5", "hy_v4", "laguna", "ufakzeka", "chameleon",
        "tiny_aya", "granite-embed-multi-97m",
    ])
    func everyRuleKeepsTheText(_ pre: String) throws {
        let tokenizer = try Tokenizer(gguf: vocabulary("gpt2", pre: pre))
        for input in Golden.inputs.prefix(1_500) {
            let text = tokenizer.decode(tokenizer.encode(input, addSpecialTokens: false), skipSpecialTokens: false)
            #expect(Array(text.utf8) == Array(input.utf8))
        }
    }

    @Test(arguments: [
        ("seed-coder", "x\n\n 12 c\u{300}", ["x", "\n\n", " ", "1", "2", " c", "\u{300}"]),
        ("superbpe", "1234567 by the way", ["1", "234", "567", " by the way"]),
        ("youtu", "It's 杜甫，한국 1234", ["It's", " ", "杜甫", "，", "한국", " ", "1", "2", "3", "4"]),
        ("trillion", "a 1234\n\nb", ["a", " 1234", "\n", "\n", "b"]),
        ("exaone-moe", "is an apple", ["is an apple"]), ("bailingmoe", "I'LL\n\n!", ["I", "'LL", "\n", "\n", "!"]),
        ("tiny_aya", "12345 Ab", ["12", "345", " Ab"]),
        ("laguna", "a.\n\nbc", ["a", ".", "\n\n", "bc"]), ("minicpm5", "year1234", ["year", "123", "4"]),
    ])
    func rulesOfNewerModelsSplitIntoTheseWords(_ pre: String, _ text: String, _ words: [String]) throws {
        // A vocabulary that has these words as tokens.
        var letters = ByteLevelVocabulary()
        let merges = letters.merges(words)
        let tokenizer = try Tokenizer(
            gguf: GGUFTokenizerKeys(tokens: letters.tokens, merges: merges, model: "gpt2", pre: pre))
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        #expect(ids.map { tokenizer.decode([$0], skipSpecialTokens: false) } == words)
    }

    @Test(arguments: [
        ("llama-bpe", nil, true), ("llama3", nil, true), ("tekken", nil, true), ("pixtral", nil, true),
        ("falcon3", nil, true),
        ("chameleon", nil, true), ("llama-bpe", false, false), ("gpt-2", nil, false), ("gpt-2", true, true),
        ("qwen2", nil, false), (nil, nil, false),
    ])
    func theWordRuleDecidesOnBeginOfTextWhereTheFileIsSilent(_ pre: String?, _ key: Bool?, _ adds: Bool) throws {
        var keys = try vocabulary("llama3", pre: pre)
        keys.bos = keys.tokens.count - 1
        keys.addBOS = key
        for tokenizer in [
            try Tokenizer(gguf: keys), try Tokenizer(packed: Tokenizer(gguf: keys).packed(), folder: nil),
        ] {
            let plain = tokenizer.encode("text", addSpecialTokens: false)
            #expect(tokenizer.encode("text", addSpecialTokens: true) == (adds ? [Int32(keys.bos!)] : []) + plain)
        }
    }

    @Test func endsOfATurnAreKnownByTheirSpelling() throws {
        func ends(_ spellings: [String], turn: Int? = nil, types: [Int32] = []) throws -> [Int32] {
            let keys = GGUFTokenizerKeys(
                tokens: ["a", "aa"] + spellings, tokenTypes: types, merges: ["a a"], model: "gpt2", pre: "gpt-2",
                eos: 2,
                endOfTurn: turn)
            return try Tokenizer(packed: Tokenizer(gguf: keys).packed(), folder: nil).eosIDs
        }
        #expect(try ends(["</s>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "x"]) == [2, 3, 4, 5, 6])
        #expect(try ends(["END", "<|im_end|>", "<|im_start|>", "[EOS]", "<|fim_pad|>"]) == [2, 3, 5, 6])
        #expect(try ends(["END", "<bye>"], turn: 3) == [2, 3])
        #expect(try ends(["<|return|>", "<|call|>", "<|end|>"]) == [2, 3])
        #expect(try ends(["<|flush|>", "<|calls|>", "<|end|>"]) == [2, 3])
        #expect(try ends(["<turn|>", "<|tool_response>", "</s>"]) == [2, 3])
    }

    @Test func whatEndsAnAnswerIsSpecialWhateverItsType() throws {
        let keys = GGUFTokenizerKeys(
            tokens: ["a", "aa", "<|end|>"], tokenTypes: [1, 1, 1], merges: ["a a"], model: "gpt2", pre: "gpt-2")
        let tokenizer = try Tokenizer(gguf: keys)
        #expect(tokenizer.encode("aa<|end|>", addSpecialTokens: false) == [1, 2])
        #expect(tokenizer.decode([1, 2], skipSpecialTokens: true) == "aa")
    }

    @Test func guessesAreTold() throws {
        func warnings(_ pre: String?, _ model: String = "gpt2") throws -> [String] {
            let keys = GGUFTokenizerKeys(
                tokens: ["a", "aa"], merges: ["a a"], scores: [0, 0], model: model, pre: pre, file: "m.gguf")
            return try Tokenizer(packed: Tokenizer(gguf: keys).packed(), folder: nil).warnings
        }
        let guess = "words are split as GPT-2 does, which may not be how the model was trained"
        #expect(
            try warnings("no-such") == [#"m.gguf: tokenizer.ggml.pre: the word rule "no-such" is unknown; "# + guess])
        #expect(try warnings(nil) == ["m.gguf: tokenizer.ggml.pre is missing; " + guess])
        #expect(try warnings("") == ["m.gguf: tokenizer.ggml.pre is missing; " + guess])
        for (pre, model) in [("default", "gpt2"), ("youtu", "gpt2"), (nil, "llama")] {
            #expect(try warnings(pre, model).isEmpty)
        }
        #expect(try Golden.tokenizer("gpt2").warnings.isEmpty)
    }

    @Test func sentencePieceHasItsSpecialTokensInFixedPlaces() throws {
        let tokens = ["<unk>", "<s>", "</s>", "\u{2581}", "a", "\u{2581}a"]
        let tokenizer = try Tokenizer(
            gguf: GGUFTokenizerKeys(
                tokens: tokens, tokenTypes: [2, 3, 3, 1, 1, 1], scores: [0, 0, 0, -2, -2, -1], model: "llama"))
        #expect(tokenizer.encode("a", addSpecialTokens: true) == [1, 5])
        #expect(tokenizer.eosIDs == [2])
    }

    @Test func sentencePieceMergesByScore() throws {
        var tokens = ["<unk>", "<s>", "</s>"]
        tokens += (0..<256).map { byte in
            let digits = Array("0123456789ABCDEF")
            return "<0x\(digits[byte >> 4])\(digits[byte & 15])>"
        }
        let pieces = ["\u{2581}", "a", "b", "\u{2581}a", "ab", "\u{2581}ab"]
        let first = Int32(tokens.count)
        tokens += pieces
        let scores = [Float](repeating: 0, count: tokens.count - pieces.count) + [-10, -10, -10, -2, -1, -3]
        let types: [Int32] = [2, 3, 3] + [Int32](repeating: 6, count: 256) + [1, 1, 1, 1, 1, 1]
        let tokenizer = try Tokenizer(
            gguf: GGUFTokenizerKeys(
                tokens: tokens, tokenTypes: types, scores: scores, model: "llama", bos: 1, eos: 2, unknown: 0))
        let (mark, a, markAB) = (first, first + 1, first + 5)
        let byteTokens: [Int32] = [198, 172]
        #expect(tokenizer.encode("ab", addSpecialTokens: true) == [1, markAB])
        #expect(tokenizer.encode("aba", addSpecialTokens: false) == [markAB, a])
        #expect(tokenizer.encode("é", addSpecialTokens: false) == [mark] + byteTokens)
        let ids = tokenizer.encode("ab é a", addSpecialTokens: true)
        #expect(tokenizer.decode(ids, skipSpecialTokens: true) == "ab é a")
    }

    @Test func contradictionsAreErrors() {
        func failure(_ vocabulary: GGUFTokenizerKeys) -> String? {
            do throws(TokenizerError) { _ = try Tokenizer(gguf: vocabulary) } catch { return error.description }
            return nil
        }
        #expect(failure(GGUFTokenizerKeys(tokens: [], model: "gpt2")) == "GGUF: tokenizer.ggml.tokens: no tokens")
        #expect(
            failure(GGUFTokenizerKeys(tokens: ["a"], model: "rwkv"))
                == #"GGUF: tokenizer.ggml.model: tokenizer "rwkv" is not supported"#)
        #expect(
            failure(GGUFTokenizerKeys(tokens: ["a"], merges: ["a a"], model: "gpt2"))
                == #"GGUF: tokenizer.ggml.merges[0]: token "aa" is not in the vocabulary"#)
        #expect(
            failure(GGUFTokenizerKeys(tokens: ["a"], scores: [1, 2], model: "llama"))
                == "GGUF: tokenizer.ggml.scores: expected 1 scores, got 2")
        #expect(
            failure(GGUFTokenizerKeys(tokens: ["a"], merges: ["a a"], model: "gpt2", bos: 4))
                == "GGUF: tokenizer.ggml.bos_token_id: token id 4 is out of range 0..<1")
    }
}

/// Letters of the byte alphabet, and merges that build given words from them.
private struct ByteLevelVocabulary {
    private(set) var tokens: [String]

    init() {
        tokens = (0..<256).map { byte in Self.spelling([UInt8(byte)]) }
    }

    /// Adds the words and what leads up to them.
    mutating func merges(_ words: [String]) -> [String] {
        var merges: [String] = []
        for word in words {
            let bytes = Array(word.utf8)
            for end in stride(from: 2, through: bytes.count, by: 1) {
                let token = Self.spelling(bytes[..<end])
                if tokens.contains(token) { continue }
                tokens.append(token)
                merges.append(Self.spelling(bytes[..<(end - 1)]) + " " + Self.spelling(bytes[(end - 1)..<end]))
            }
        }
        return merges
    }

    /// Bytes in GPT-2's printable characters.
    private static func spelling(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(alphabet[Int(byte)]) }
        return String(text)
    }

    private static let alphabet: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte -> Unicode.Scalar in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(UInt8(byte))
            default:
                next += 1
                return Unicode.Scalar(next - 1)!
            }
        }
    }()
}
