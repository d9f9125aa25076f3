import Testing
import Tokenizers

@Suite struct DecodingContextTests {
    /// The id of each byte, where the vocabulary has one.
    private func ids(_ bytes: [UInt8], _ tokenizer: Tokenizer) throws -> [Int32] {
        try bytes.map { byte in
            try #require((0..<Int32(tokenizer.vocabularySize)).first { tokenizer.tokenBytes($0) == [byte] })
        }
    }

    @Test(arguments: ["gpt2", "llama2"], ["Hello 🌶 ok", "€€!", "aé", "x\u{10FFFF}y", "世界"])
    func aTextCutAnywhereGoesOnWithoutReplacement(_ name: String, _ text: String) throws {
        let tokenizer = try Golden.tokenizer(name)
        let bytes = Array(text.utf8)
        // Byte tokens of their own: those of a SentencePiece vocabulary are only the ones for what it cannot spell.
        let all = name == "gpt2" ? try ids(bytes, tokenizer) : tokenizer.encode(text, addSpecialTokens: false)
        for cut in 1..<all.count {
            let context = tokenizer.context(all[..<cut])
            let rest = tokenizer.decode(all[cut...], after: context, skipSpecialTokens: true)
            #expect(!rest.unicodeScalars.contains("\u{FFFD}"), "\(text) at \(cut)")
            #expect(text.utf8.reversed().starts(with: rest.utf8.reversed()), "\(text) at \(cut)")
            // All that begins behind the cut is there; a character that the cut parts belongs to the prompt.
            let begun = all[cut...].flatMap(tokenizer.tokenBytes).count { $0 & 0xC0 != 0x80 }
            let whole = tokenizer.decode(all, skipSpecialTokens: true).unicodeScalars
            #expect(rest == String(whole.suffix(begun)), "\(text) at \(cut)")
        }
    }

    @Test func anUnfinishedCharacterThatNeverComesBelongsToThePrompt() throws {
        let tokenizer = try Golden.tokenizer("gpt2")
        let context = tokenizer.context(try ids([0x61, 0xC3], tokenizer))
        #expect(tokenizer.decode(try ids([0x7A], tokenizer), after: context, skipSpecialTokens: true) == "z")
    }

    @Test func theSpaceBeforeAWordIsKept() throws {
        let tokenizer = try Golden.tokenizer("llama2")
        let ids = tokenizer.encode("the river the", addSpecialTokens: false)
        let last = try #require(ids.last)
        let context = tokenizer.context(ids.dropLast())
        #expect(tokenizer.decode([last], skipSpecialTokens: true).first != " ")
        let word = tokenizer.decode([last], after: context, skipSpecialTokens: true)
        #expect(tokenizer.decode(ids, skipSpecialTokens: true).hasSuffix(word) && !word.isEmpty)
    }

    @Test func theContextIsShortAndBeginsWithACharacter() throws {
        let tokenizer = try Golden.tokenizer("gpt2")
        let many = try ids(Array(String(repeating: "é", count: 40).utf8), tokenizer)
        for end in 1...many.count {
            let context = tokenizer.context(many[..<end])
            #expect(context.count <= Tokenizer.contextLimit && !context.isEmpty)
            #expect(tokenizer.tokenBytes(context[0]) == [0xC3])
        }
        #expect(tokenizer.context([] as [Int32]).isEmpty)
        #expect(tokenizer.context(try ids([0xA9, 0xA9, 0xA9], tokenizer)).isEmpty)
        #expect(tokenizer.decode(many[..<2], after: [], skipSpecialTokens: true) == "é")
    }

    @Test(arguments: [
        ("ab", "abc", "c"), ("a\u{FFFD}", "aé b", " b"), ("a\u{FFFD}", "a\u{FFFD}z", "z"),
        ("\u{FFFD}\u{FFFD}", "€!", "!"), ("\u{FFFD}\u{FFFD}", "\u{FFFD}é!", "!"), ("a\u{FFFD}", "a\u{FFFD}", ""),
        ("", "x", "x"), ("e", "e\u{301}", "\u{301}"),
    ])
    func whatIsNewIsCountedInScalars(_ start: String, _ whole: String, _ new: String) {
        #expect(Array(Continuation.text(of: whole, behind: start).utf8) == Array(new.utf8))
    }
}
