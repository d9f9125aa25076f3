import JSON
import Testing
import Tokenizers

@Suite struct GoldenTests {
    @Test func fixturesCoverEnough() {
        #expect(Golden.names.count >= 40)
        #expect(Golden.inputs.count >= 2_000)
    }

    @Test(arguments: Golden.names, [false, true])
    func encodesAndDecodesAsTheReference(_ name: String, isPacked: Bool) throws {
        var tokenizer = try Golden.tokenizer(name)
        if isPacked { tokenizer = try Tokenizer(packed: tokenizer.packed(), folder: nil) }
        let cases = Golden.cases(of: name)
        #expect(cases.count >= 150)
        var unequal: [String] = []
        for golden in cases {
            let ids = tokenizer.encode(golden.input, addSpecialTokens: true)
            let text = tokenizer.decode(ids, skipSpecialTokens: false)
            let bare = tokenizer.decode(ids, skipSpecialTokens: true)
            if !Golden.ids(ids, equal: golden.ids) {
                unequal.append("ids of \(golden.index): \(ids.prefix(40)), expected \(golden.ids)")
            } else if !Golden.text(text, equals: golden.text, among: [golden.input]) {
                unequal.append("text of \(golden.index): \(text.debugDescription.prefix(200))")
            } else if !Golden.text(bare, equals: golden.bareText, among: [golden.input, text]) {
                unequal.append("bare text of \(golden.index): \(bare.debugDescription.prefix(200))")
            }
        }
        #expect(unequal.isEmpty, "\(unequal.count) of \(cases.count): \(unequal.prefix(5).joined(separator: "\n"))")
    }

    @Test func packedBytesThatAreCutOffAreRefused() throws {
        let bytes = try Golden.tokenizer("gpt2").packed()
        for count in [0, 7, 8, 100, bytes.count / 3, bytes.count / 2, bytes.count - 9] {
            #expect(throws: TokenizerError.malformed(file: "packed tokenizer", path: "", reason: "damaged")) {
                try Tokenizer(packed: Array(bytes.prefix(count)), folder: nil)
            }
        }
    }

    @Test(arguments: ["gpt2", "llama3", "qwen2", "smollm", "llama2", "added"])
    func knowsTheSameWordsTwice(_ name: String) throws {
        // The second pass is answered from the word cache.
        let tokenizer = try Golden.tokenizer(name)
        for golden in Golden.cases(of: name).prefix(600) {
            let first = tokenizer.encode(golden.input, addSpecialTokens: false)
            #expect(tokenizer.encode(golden.input, addSpecialTokens: false) == first)
        }
    }
}
