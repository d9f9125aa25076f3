import JSON
import Testing
import Tokenizers

/// Vocabularies of encoders in GGUF files give what the models' own tokenizers give.
@Suite struct GGUFEncoderTests {
    /// The tokens of a fixture by id.
    private func tokens(_ tokenizer: Tokenizer) -> [String] {
        (0..<Int32(tokenizer.vocabularySize)).map { tokenizer.tokenOf($0) ?? "" }
    }

    /// BERT's vocabulary as llama.cpp writes it.
    private func bert(_ name: String) throws -> GGUFTokenizerKeys {
        let file = try Golden.tokenizer(name)
        let prefix = name == "wordpiece" ? "##" : "@@"
        let tokens = tokens(file)
        let types = tokens.map { Int32($0.hasPrefix("[") && $0.hasSuffix("]") && $0.count > 2 ? 3 : 1) }
        let spelled = zip(tokens, types).map { token, type in
            if type == 3 { return token }
            return token.hasPrefix(prefix) ? String(token.dropFirst(2)) : "\u{2581}" + token
        }
        var keys = GGUFTokenizerKeys(tokens: spelled, tokenTypes: types, model: "bert", file: "b.gguf")
        keys.unknown = tokens.firstIndex(of: "[UNK]")
        keys.padding = tokens.firstIndex(of: "[PAD]")
        keys.classification = tokens.firstIndex(of: "[CLS]")
        keys.separator = tokens.firstIndex(of: "[SEP]")
        keys.mask = tokens.firstIndex(of: "[MASK]")
        return keys
    }

    @Test(arguments: [false, true])
    func wordPiecesAreThoseOfBert(isPacked: Bool) throws {
        var tokenizer = try Tokenizer(gguf: bert("wordpiece"))
        if isPacked { tokenizer = try Tokenizer(packed: tokenizer.packed(), folder: nil) }
        for golden in Golden.cases(of: "wordpiece") {
            let ids = tokenizer.encode(golden.input, addSpecialTokens: true)
            #expect(Golden.ids(ids, equal: golden.ids), "input \(golden.index)")
            let text = tokenizer.decode(ids, skipSpecialTokens: false)
            #expect(Golden.text(text, equals: golden.text, among: [golden.input]), "input \(golden.index)")
        }
        let summary = try #require(tokenizer.summary)
        #expect(summary == "tokenizer bert from b.gguf, text framed by [CLS] and [SEP]")
    }

    @Test func pairsHaveTypes() throws {
        let file = try Golden.tokenizer("wordpiece")
        let tokenizer = try Tokenizer(gguf: bert("wordpiece"))
        for (first, second) in zip(Golden.inputs.prefix(200), Golden.inputs.dropFirst(100)) {
            #expect(
                try tokenizer.encode(first, second, addSpecialTokens: true)
                    == file.encode(first, second, addSpecialTokens: true))
        }
    }

    @Test func aVocabularyWithCapitalsKeepsThem() throws {
        var keys = try bert("wordpiece")
        keys.tokens.append("\u{2581}Fox")
        keys.tokenTypes.append(1)
        let tokenizer = try Tokenizer(gguf: keys)
        #expect(tokenizer.encode("Fox", addSpecialTokens: false) == [Int32(keys.tokens.count - 1)])
    }

    @Test func aVocabularyWithAccentsKeepsThem() throws {
        var keys = try bert("wordpiece")
        keys.tokens.append("\u{2581}caf\u{E9}")
        keys.tokenTypes.append(1)
        let tokenizer = try Tokenizer(gguf: keys)
        #expect(tokenizer.encode("CAF\u{C9}", addSpecialTokens: false) == [Int32(keys.tokens.count - 1)])
    }

    /// XLM-RoBERTa's or T5's vocabulary as llama.cpp writes it.
    private func unigram() throws -> GGUFTokenizerKeys {
        let root = try JSON.parse(Golden.bytes(of: "\(Golden.folder)/unigram.tokenizer.json"))
        let list = root["model"]!["vocab"]!.arrayValue!
        let tokens = list.map { $0[0]!.stringValue! }
        let special = ["<s>", "</s>", "<unk>"]
        var keys = GGUFTokenizerKeys(
            tokens: tokens, tokenTypes: tokens.map { special.contains($0) ? 3 : 1 },
            scores: list.map { Float($0[1]!.doubleValue!) }, model: "t5", file: "u.gguf")
        keys.unknown = tokens.firstIndex(of: "<unk>")
        keys.bos = tokens.firstIndex(of: "<s>")
        keys.eos = tokens.firstIndex(of: "</s>")
        let table = root["normalizer"]!["normalizers"]![0]!["precompiled_charsmap"]!.stringValue!
        keys.characterMap = decoded(table)
        return keys
    }

    private func decoded(_ base64: String) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bytes: [UInt8] = []
        var (bits, count) = (0, 0)
        for character in base64.utf8 where character != UInt8(ascii: "=") {
            bits = (bits << 6 | digits.firstIndex(of: character)!) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }

    @Test(arguments: [false, true])
    func theLikeliestPiecesAreThoseOfItsModel(isPacked: Bool) throws {
        var tokenizer = try Tokenizer(gguf: unigram())
        if isPacked { tokenizer = try Tokenizer(packed: tokenizer.packed(), folder: nil) }
        for golden in Golden.cases(of: "unigram") {
            let ids = tokenizer.encode(golden.input, addSpecialTokens: true)
            #expect(Golden.ids(ids, equal: golden.ids), "input \(golden.index)")
        }
        #expect(tokenizer.eosIDs == [1])
    }

    @Test func aFrameOfBothEndsIsXLMRobertas() throws {
        var keys = try unigram()
        keys.addBOS = true
        let pair = try Tokenizer(gguf: keys).encode("a", "a", addSpecialTokens: true)
        let a = try #require(pair.ids.dropFirst().first)
        #expect(pair.ids == [0, a, 1, 1, a, 1] && pair.types == [0, 0, 0, 0, 0, 0])
        keys.addBOS = false
        #expect(try Tokenizer(gguf: keys).encode("a", "a", addSpecialTokens: true).ids == [a, 1, a, 1])
        keys.addEOS = false
        #expect(try Tokenizer(gguf: keys).encode("a", addSpecialTokens: true) == [a])
    }

    @Test func whatIsMissingIsNamed() throws {
        func message(_ change: (inout GGUFTokenizerKeys) -> Void, _ keys: GGUFTokenizerKeys) -> String? {
            var keys = keys
            change(&keys)
            do {
                _ = try Tokenizer(gguf: keys)
                return nil
            } catch { return error.description }
        }
        let (bert, unigram) = (try bert("wordpiece"), try unigram())
        #expect(
            message({ $0.separator = nil }, bert) == "b.gguf: tokenizer.ggml.seperator_token_id: is missing")
        #expect(
            message({ $0.scores.removeLast() }, unigram)
                == "u.gguf: tokenizer.ggml.scores: expected \(unigram.tokens.count) scores, got \(unigram.tokens.count - 1)"
        )
        #expect(
            message({ $0.characterMap = [1, 2, 3] }, unigram)
                == "u.gguf: tokenizer.ggml.precompiled_charsmap: is no table of replacements")
        #expect(message({ $0.eos = nil }, unigram) == "u.gguf: tokenizer.ggml.eos_token_id: is missing")
    }
}
