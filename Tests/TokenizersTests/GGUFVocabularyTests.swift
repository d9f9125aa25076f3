import JSON
import Testing
import Tokenizers

@Suite struct GGUFVocabularyTests {
    /// The vocabulary of a committed tokenizer.json as a GGUF file would hold it.
    private func vocabulary(_ name: String, pre: String?) throws -> GGUFVocabulary {
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
        return GGUFVocabulary(tokens: tokens, tokenTypes: types, merges: merges, model: "gpt2", pre: pre)
    }

    @Test(arguments: [
        ("gpt2", "gpt-2"), ("gpt2", "default"), ("llama3", "llama-bpe"), ("qwen2", "qwen2"), ("smollm", "starcoder"),
        ("falcon", "falcon"), ("deepseek", "deepseek-coder"), ("gpt4o", "gpt-4o"),
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
        "mpt", "olmo", "bloom", "viking", "smollm", "something new",
    ])
    func everyRuleKeepsTheText(_ pre: String) throws {
        let tokenizer = try Tokenizer(gguf: vocabulary("gpt2", pre: pre))
        for input in Golden.inputs.prefix(1_500) {
            let text = tokenizer.decode(tokenizer.encode(input, addSpecialTokens: false), skipSpecialTokens: false)
            #expect(Array(text.utf8) == Array(input.utf8))
        }
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
            gguf: GGUFVocabulary(
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
        func failure(_ vocabulary: GGUFVocabulary) -> String? {
            do throws(TokenizerError) { _ = try Tokenizer(gguf: vocabulary) } catch { return error.description }
            return nil
        }
        #expect(failure(GGUFVocabulary(tokens: [], model: "gpt2")) == "GGUF: tokenizer.ggml.tokens: no tokens")
        #expect(
            failure(GGUFVocabulary(tokens: ["a"], model: "rwkv"))
                == #"GGUF: tokenizer.ggml.model: tokenizer "rwkv" is not supported"#)
        #expect(
            failure(GGUFVocabulary(tokens: ["a"], merges: ["a a"], model: "gpt2"))
                == #"GGUF: tokenizer.ggml.merges[0]: token "aa" is not in the vocabulary"#)
        #expect(
            failure(GGUFVocabulary(tokens: ["a"], scores: [1, 2], model: "llama"))
                == "GGUF: tokenizer.ggml.scores: expected 1 scores, got 2")
        #expect(
            failure(GGUFVocabulary(tokens: ["a"], merges: ["a a"], model: "gpt2", bos: 4))
                == "GGUF: tokenizer.ggml.bos_token_id: token id 4 is out of range 0..<1")
    }
}
