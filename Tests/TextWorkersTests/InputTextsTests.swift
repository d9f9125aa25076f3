import Foundation
import Messages
import TestSupport
import Testing
import TextWorkers
import Tokenizers

/// Texts of requests for vectors and scores become the ids that sentence-transformers and transformers make of them.
@Suite struct InputTextsTests {
    private let model = ModelFacts.make { facts in
        (facts.contextLength, facts.vocabularySize) = (320, 1000)
        facts.task = .make {
            $0.maxTokens = 320; $0.bidirectional = true
        }
    }

    private func tokenized(
        _ first: String, with second: String? = nil, by tokenizer: Tokenizer, followsFiles: Bool = true,
        for model: ModelFacts? = nil, allowTruncate: Bool = false
    ) throws -> EmbedIDs {
        var request = EmbedIDs()
        try InputTexts(tokenizer, followsFiles: followsFiles).tokenize(
            first, second, model ?? self.model, allowTruncate: allowTruncate, into: &request)
        return request
    }

    @Test(arguments: Variant.all) func idsTypesAndPromptAreTheReferences(_ variant: Variant) throws {
        let folder = TemporaryFolder()
        let tokenizer = try Tokenizer(folder: try variant.make(in: folder))
        for text in variant.texts {
            let made = try tokenized(text.text, with: text.pair, by: tokenizer)
            #expect(made.prompt == text.ids, "\(text.text)")
            #expect(made.tokenTypes == text.types ?? [])
            #expect(Int(made.leadingIds) == text.leading ?? 0)
        }
    }

    /// SGLang reads none of these files.
    @Test func withoutTheFilesATextIsTakenAsItIs() throws {
        let folder = TemporaryFolder()
        for name in ["cut-lower", "decoder-prompt"] {
            let tokenizer = try Tokenizer(folder: try Variant.named(name).make(in: folder))
            let text = Variant.named(name).texts[2].text
            let made = try tokenized(text, by: tokenizer, followsFiles: false)
            #expect(made.prompt == tokenizer.encode(text, addSpecialTokens: true) && made.leadingIds == 0)
        }
    }

    @Test func whatIsTooLongForTheModelIsCutOnlyWhereThatIsAllowed() throws {
        let folder = TemporaryFolder()
        let tokenizer = try Tokenizer(folder: try Variant.named("cut").make(in: folder))
        let long = String(repeating: "water ", count: 400)
        #expect(try tokenized(long, by: tokenizer).prompt.count > 320, "to be refused")
        let cut = try tokenized(long, by: tokenizer, allowTruncate: true).prompt
        #expect(cut.count == 24 && cut.last == tokenizer.idOf("[SEP]"))
        let whole = try tokenized(long, by: tokenizer, followsFiles: false, allowTruncate: true).prompt
        #expect(whole.count == 320 && whole.last == tokenizer.idOf("[SEP]"))
        let pair = try tokenized("a b c", with: long, by: tokenizer, followsFiles: false, allowTruncate: true)
        #expect(pair.prompt.count == 320 && pair.tokenTypes.count == 320)
    }

    /// `truncation` in tokenizer.json is how its owner called it last: an encoder's text is cut so only where cutting is allowed.
    @Test func theTokenizersOwnLengthCountsForEncodersThatMayBeCut() throws {
        let folder = TemporaryFolder()
        let path = try Variant.named("max").make(in: folder)
        folder.write("max/sentence_bert_config.json", text: "{}")
        var text = try String(contentsOfFile: path + "/tokenizer.json", encoding: .utf8)
        let none = try #require(text.range(of: #""truncation": ?null"#, options: .regularExpression))
        text.replaceSubrange(
            none, with: #""truncation":{"max_length":12,"strategy":"LongestFirst","stride":0,"direction":"Right"}"#)
        folder.write("max/tokenizer.json", text: text)
        let tokenizer = try Tokenizer(folder: path)
        let long = String(repeating: "water ", count: 40)
        let count = tokenizer.encode(long, addSpecialTokens: true).count
        #expect(try tokenized(long, by: tokenizer).prompt.count == count)
        #expect(try tokenized(long, by: tokenizer, allowTruncate: true).prompt.count == 12)
        var decoder = model
        decoder.task.bidirectional = false
        #expect(try tokenized(long, by: tokenizer, for: decoder, allowTruncate: true).prompt.count == count)
    }

    @Test func aPromptThatIsNotThereIsNamed() throws {
        let folder = TemporaryFolder()
        let path = try Variant.named("prompt").make(in: folder)
        folder.write(
            "prompt/config_sentence_transformers.json", text: #"{"prompts":{"a":"A: "},"default_prompt_name":"b"}"#)
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(folder: path) }
        #expect(error?.description.hasSuffix("default_prompt_name: there is no prompt of that name") == true)
    }
}
