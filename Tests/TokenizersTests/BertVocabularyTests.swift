import JSON
import TestSupport
import Testing
import Tokenizers

@Suite struct BertVocabularyTests {
    /// A folder with the committed vocabulary as vocab.txt.
    private func folder(_ config: String? = nil, end: String = "\n") throws -> TemporaryFolder {
        let root = try JSON.parse(Golden.bytes(of: "\(Golden.folder)/wordpiece.tokenizer.json"))
        let ids = try #require(root["model"]?["vocab"]?.objectValue)
        var tokens = [String](repeating: "", count: ids.count)
        for (token, id) in ids { tokens[id.intValue!] = token }
        let folder = TemporaryFolder()
        folder.write("vocab.txt", text: tokens.map { $0 + end }.joined())
        if let config { folder.write("tokenizer_config.json", text: config) }
        return folder
    }

    @Test(arguments: ["\n", "\r\n"])
    func aVocabularyAloneIsABertAsTheReferenceHasIt(end: String) throws {
        let folder = try folder(end: end)
        let tokenizer = try Tokenizer(folder: folder.path)
        let packed = try Tokenizer(packed: tokenizer.packed(), folder: folder.path)
        for golden in Golden.cases(of: "wordpiece") {
            let ids = tokenizer.encode(golden.input, addSpecialTokens: true)
            #expect(Golden.ids(ids, equal: golden.ids) && packed.encode(golden.input, addSpecialTokens: true) == ids)
            let text = tokenizer.decode(ids, skipSpecialTokens: true)
            #expect(
                Golden.text(
                    text, equals: golden.bareText,
                    among: [golden.input, tokenizer.decode(ids, skipSpecialTokens: false)]))
        }
    }

    @Test func theConfigurationSaysHowTextIsNormalized() throws {
        let cased = try folder(#"{"do_lower_case":false,"tokenize_chinese_chars":false,"cls_token":"[MASK]"}"#)
        let tokenizer = try Tokenizer(folder: cased.path)
        let mask = try #require(tokenizer.idOf("[MASK]"))
        #expect(tokenizer.encode("", addSpecialTokens: true).first == mask)
        let uncased = try folder()
        let plain = try Tokenizer(folder: uncased.path)
        #expect(plain.encode("FOX", addSpecialTokens: false) == plain.encode("fox", addSpecialTokens: false))
        #expect(tokenizer.encode("FOX", addSpecialTokens: false) != tokenizer.encode("fox", addSpecialTokens: false))
    }

    @Test func aVocabularyWithoutTheSpecialTokensIsNamed() {
        let folder = TemporaryFolder()
        folder.write("vocab.txt", text: "[UNK]\na\n")
        #expect(
            throws: TokenizerError.malformed(
                file: "\(folder.path)/vocab.txt", path: "", reason: #"token "[CLS]" is missing"#)
        ) { try Tokenizer(folder: folder.path) }
        folder.write("vocab.txt", [0x61, 0x0A, 0xFF, 0x0A])
        #expect(
            throws: TokenizerError.malformed(
                file: "\(folder.path)/vocab.txt", path: "line 2", reason: "is not UTF-8")
        ) { try Tokenizer(folder: folder.path) }
    }
}
