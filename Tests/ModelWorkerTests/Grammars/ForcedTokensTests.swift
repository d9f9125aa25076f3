import Grammar
import ModelWorker
import Testing
import Tokenizers

/// Which tokens follow without the model being asked.
@Suite struct ForcedTokensTests {
    /// A tokenizer that spells bytes, with these merges.
    private static func byteLevel(_ merges: [(String, String)], added: [String] = []) throws -> Tokenizer {
        let letters = "abcdefghijklmnopqrstuvwxyz{}\":,0123456789".map(String.init) + ["Ġ", "Ã", "©", "¨"]
        return try tokenizer(
            letters + merges.map { $0 + $1 }, merges, added: added,
            """
            "normalizer":null,
            "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false},
            "decoder":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false},
            """, model: "")
    }

    /// A tokenizer in SentencePiece's manner, which begins a text with a space.
    private static func sentencePiece(_ merges: [(String, String)]) throws -> Tokenizer {
        let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init) + ["▁", "<0x01>", "<unk>"]
        return try tokenizer(
            letters + merges.map { $0 + $1 }, merges, added: [],
            """
            "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
              {"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
            "pre_tokenizer":null,
            "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
              {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
            """, model: #""unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"#)
    }

    private static func tokenizer(
        _ spellings: [String], _ merges: [(String, String)], added: [String], _ parts: String, model: String
    ) throws -> Tokenizer {
        func quoted(_ text: String) -> String { "\"" + text.replacing("\"", with: "\\\"") + "\"" }
        let vocabulary = spellings.enumerated().map { "\(quoted($1)):\($0)" }.joined(separator: ",")
        let special = added.enumerated().map {
            """
            {"id":\(spellings.count + $0),"content":\(quoted($1)),"special":true,"normalized":false,"single_word":false,\
            "lstrip":false,"rstrip":false}
            """
        }
        let text = """
            {"version":"1.0","added_tokens":[\(special.joined(separator: ","))],"post_processor":null,\(parts)
             "model":{"type":"BPE",\(model)"vocab":{\(vocabulary)},
               "merges":[\(merges.map { quoted("\($0) \($1)") }.joined(separator: ","))]}}
            """
        return try Tokenizer(json: Array(text.utf8), file: "test", config: TokenizerConfig())
    }

    private static func masks(_ source: GrammarSource, _ tokenizer: Tokenizer) throws -> TokenMasks {
        var options = GrammarOptions()
        let tokens = (0..<Int32(tokenizer.vocabularySize)).map {
            Vocabulary.Token(bytes: tokenizer.tokenBytes($0), isSpecial: tokenizer.isSpecial($0))
        }
        options.specialTokens = tokens.filter(\.isSpecial).map { String(decoding: $0.bytes, as: UTF8.self) }
        return TokenMasks(try Grammar(source, options: options), Vocabulary(tokens))
    }

    private static func run(_ source: GrammarSource, _ tokenizer: Tokenizer, after text: String = "") throws -> [String]
    {
        let masks = try masks(source, tokenizer)
        let state = try #require(masks.grammar.state(masks.grammar.start, after: text.utf8))
        return ForcedTokens(masks, tokenizer).run(from: state).map { tokenizer.tokenOf($0) ?? "" }
    }

    private static let words = [
        ("n", "a"), ("na", "m"), ("nam", "e"), ("\"", ":"), ("Ġ", "\""), ("i", "t"), ("it", "e"), ("ite", "m"),
    ]

    @Test func theTextIsCutAsTheTokenizerCutsIt() throws {
        let tokenizer = try Self.byteLevel(Self.words)
        let source = GrammarSource.regex(#"\{"name": "(a|b)+"\}"#)
        #expect(try Self.run(source, tokenizer) == ["{", "\"", "name", "\":", "Ġ\""])
        #expect(try Self.run(source, tokenizer, after: "{\"name\": \"a") == [])
        #expect(try Self.run(source, tokenizer, after: "{\"name\": \"a\"") == ["}"])
        #expect(try Self.run(.regex("(name|item): 1"), tokenizer) == [])
    }

    @Test func aTokenThatReachesBeyondTheTextIsLeftToTheModel() throws {
        let tokenizer = try Self.byteLevel(Self.words + [("Ġ\"", "b"), ("Ġ\"b", "c"), ("a", "b")])
        #expect(try Self.run(.regex(#"\{"name": "(a|b)+"\}"#), tokenizer) == ["{", "\"", "name", "\":"])
        // No token that the grammar takes begins so.
        #expect(try Self.run(.regex(#"\{"name": "(a|c)+"\}"#), tokenizer) == ["{", "\"", "name", "\":", "Ġ\""])
        // The longest of the ends that a token may reach beyond.
        let nested = try Self.byteLevel(Self.words + [("\":", "Ġ\""), ("\":Ġ\"", "b"), ("Ġ\"", "b")])
        #expect(try Self.run(.regex(#"\{"name": "(a|b)+"\}"#), nested) == ["{", "\"", "name"])
    }

    @Test func aRunGoesOnFromAnyOfItsTokens() throws {
        let tokenizer = try Self.byteLevel(Self.words)
        let key = String(repeating: "nameitemxnam", count: 60)
        for text in ["{\"\(key)\": \"", "na\(key)é é", "é{\"name\": 12"] {
            let masks = try Self.masks(.regex(text.replacing("{", with: "\\{") + "(a|b)+"), tokenizer)
            let forced = ForcedTokens(masks, tokenizer)
            var whole: [Int32] = []
            var states: [GrammarState] = [masks.grammar.start]
            while true {
                let run = forced.run(from: states.last!)
                if run.isEmpty { break }
                for id in run {
                    let next = masks.grammar.state(states.last!, after: id, of: masks.vocabulary)
                    states.append(try #require(next))
                }
                whole += run
            }
            #expect(tokenizer.decode(whole, skipSpecialTokens: false) == text)
            let anew = ForcedTokens(masks, tokenizer)
            for (place, state) in states.enumerated() {
                let run = anew.run(from: state)
                #expect(run.elementsEqual(whole[place...].prefix(run.count)) && run.isEmpty == (place == whole.count))
            }
        }
    }

    @Test func aTokenizerThatBeginsWithASpaceCutsAsInsideOfAText() throws {
        let tokenizer = try Self.sentencePiece([("n", "a"), ("na", "m"), ("nam", "e"), ("▁", "name")])
        #expect(tokenizer.encode("name", addSpecialTokens: false).map { tokenizer.tokenOf($0) } == ["▁name"])
        #expect(try Self.run(.regex("name(a|b)"), tokenizer) == ["name"])
        #expect(try Self.run(.regex("(a|b) name(a|b)"), tokenizer, after: "a") == ["▁name"])
    }

    @Test func whatMayBeASpecialTokenIsLeftToTheModel() throws {
        let tokenizer = try Self.byteLevel(Self.words, added: ["{t}"])
        let tag =
            #"{"format":{"type":"tag","begin":"{t}","content":{"type":"const_string","value":"name"},"end":"{t}"}}"#
        #expect(try Self.run(.structuralTag(tag), tokenizer) == [])
        // Text is never cut into one.
        #expect(try Self.run(.regex(#"\{t\}name"#), tokenizer) == ["{", "t", "}", "name"])
    }

    @Test func aCharacterThatIsCutInTwoIsCompletedFirst() throws {
        let tokenizer = try Self.byteLevel(Self.words)
        #expect(try Self.run(.regex("éname(a|b)"), tokenizer) == ["Ã", "©", "name"])
        let masks = try Self.masks(.regex("éname(a|b)"), tokenizer)
        let inside = try #require(masks.grammar.state(masks.grammar.start, after: [0xC3]))
        let run = ForcedTokens(masks, tokenizer).run(from: inside)
        #expect(run.map { tokenizer.tokenOf($0) } == ["©", "name"])
        // Two characters have their first byte in common.
        #expect(try Self.run(.regex("name(é|è)"), tokenizer) == ["name"])
    }
}
