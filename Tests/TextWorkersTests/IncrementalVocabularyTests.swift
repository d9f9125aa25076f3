import Foundation
import Testing
import TextWorkers
import Tokenizers

/// Text that comes id by id is the text of all ids, whatever puts tokens together.
@Suite struct IncrementalVocabularyTests {
    private static let fixtures =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("TokenizersTests/Fixtures")

    private let texts = [
        "The quick brown fox isn't lazy, it's 'here' . Or so they 've said ?", "  two  spaces\nand a line ",
        "\u{5929}\u{5730}\u{7384}\u{9EC3} na\u{EF}ve caf\u{E9} \u{1F600}\u{1F44D}\u{1F3FD} x", "\u{FFFD} </s> <s>a",
        "e\u{301}\u{323} \u{E2A}\u{E27}\u{E31}\u{E2A}\u{E14}\u{E35} \u{645}\u{631}\u{62D}\u{628}\u{627}", "",
    ]

    @Test(arguments: [
        "wordpiece", "wordpiece_cased", "unigram", "unigram_bytes", "unigram_pieces", "llama2", "llama2_metaspace",
        "metaspace_first", "unknown",
    ])
    func idByIdIsAllAtOnce(_ name: String) throws {
        let tokenizer = try Tokenizer(file: Self.fixtures.appendingPathComponent("\(name).tokenizer.json").path)
        for text in texts {
            for skips in [false, true] {
                let ids = tokenizer.encode(text, addSpecialTokens: true)
                var decoder = IncrementalDecoder()
                for id in ids { decoder.append(id) { tokenizer.decode($0, skipSpecialTokens: skips) } }
                decoder.finish { tokenizer.decode($0, skipSpecialTokens: skips) }
                let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
                #expect(Array(decoder.text.utf8) == Array(whole.utf8), "\(text.debugDescription)")
            }
        }
    }
}
