import Foundation
import Grammar
import JSON
import Testing
import Tokenizers
import Values

/// Masks of whole vocabularies against trying every token. `SRT_TEST_VOCABULARIES` names more folders of tokenizers, with colons between.
@Suite struct VocabularyMaskTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    /// Byte-level BPE, and SentencePiece with bytes for what it has no piece for.
    private static let committed = ["Fixtures/llama-tied", "Fixtures/gemma2-reward"].map {
        tests.appending(path: $0).path
    }
    private static let named = (ProcessInfo.processInfo.environment["SRT_TEST_VOCABULARIES"] ?? "")
        .split(separator: ":").map(String.init)

    private static func vocabulary(_ folder: String) throws -> Vocabulary {
        let tokenizer = try Tokenizer(folder: folder)
        return Vocabulary(
            (0..<Int32(tokenizer.vocabularySize)).map { id in
                let isEnd = tokenizer.eosIDs.contains(id)
                return Vocabulary.Token(
                    bytes: isEnd ? [] : tokenizer.tokenBytes(id), isSpecial: tokenizer.isSpecial(id))
            })
    }

    @Test(arguments: committed + named) func masksAreWhatTryingEveryTokenSays(_ folder: String) throws {
        let vocabulary = try Self.vocabulary(folder)
        var random = SplitMix64(seed: UInt64(vocabulary.size))
        var schemas = RandomSchemas(seed: UInt64(vocabulary.size))
        var sources = (0..<6).map { _ in GrammarSource.jsonSchema(JSON.encodeToString(schemas.schema())) }
        sources += [
            .jsonSchema("$$ANY$$"), .regex("(a|é|[0-9]{2,3})*( the)?"),
            .ebnf("root ::= \"[\" (root (\", \" root)*)? \"]\" | [^\\x00-\\x1f]"),
        ]
        for source in sources {
            guard let grammar = try? Grammar(source) else { continue }
            try check(grammar, vocabulary, &random, "\(folder) \(source)")
        }
    }

    private func check(
        _ grammar: Grammar, _ vocabulary: Vocabulary, _ random: inout SplitMix64, _ comment: String
    ) throws {
        let masks = TokenMasks(grammar, vocabulary)
        var state = grammar.start
        for _ in 0..<8 {
            let mask = masks.mask(of: state)
            var allowed: [Int32] = []
            var different: [Int32] = []
            for id in 0..<Int32(vocabulary.size) {
                let isAllowed = grammar.state(state, after: id, of: vocabulary) != nil
                if isAllowed != (mask[Int(id) >> 6] >> UInt64(id & 63) & 1 == 1) { different.append(id) }
                if isAllowed { allowed.append(id) }
            }
            #expect(different == [], "\(comment) \(state)")
            guard !allowed.isEmpty else { return }
            let id = allowed[Int(random.next() % UInt64(allowed.count))]
            state = try #require(grammar.state(state, after: id, of: vocabulary))
        }
    }
}
