import JSON
import Testing
import Tokenizers

/// Two texts, token types and truncation, as the reference has them (`pair_goldens` of make_tokenizer_goldens.py).
@Suite struct PairTests {
    private static let names = [
        "gpt2", "roberta", "llama3", "llama2", "added", "wordpiece", "wordpiece_cased", "unigram",
    ]

    @Test(arguments: names)
    func pairsAreJoinedTypedAndCutAsInTheReference(_ name: String) throws {
        let tokenizer = try Golden.tokenizer(name)
        let rows = Golden.lines(of: "\(name).pairs.jsonl")
        #expect(rows.count == 260)
        for row in rows {
            let list = row.arrayValue!
            let numbers = list.map { $0.intValue ?? 0 }
            let truncation = Truncation(
                limit: numbers[3], strategy: [.longestFirst, .onlyFirst, .onlySecond][numbers[4]],
                keepsEnd: numbers[5] == 1)
            let made = try? tokenizer.encode(
                Golden.inputs[numbers[0]], list[1].isNull ? nil : Golden.inputs[numbers[1]],
                addSpecialTokens: numbers[2] == 1, truncation: numbers[3] == 0 ? nil : truncation)
            #expect(
                list[6].isNull ? made == nil : made?.ids == list[6].arrayValue?.map { Int32($0.intValue!) }, "\(row)")
            #expect(list[7].isNull || made?.types == list[7].arrayValue?.map { Int32($0.intValue!) }, "\(row)")
        }
    }

    @Test func aSingleTextIsTheSameEitherWay() throws {
        let tokenizer = try Golden.tokenizer("wordpiece")
        for input in Golden.inputs.prefix(400) {
            let made = try tokenizer.encode(input, nil, addSpecialTokens: true)
            #expect(made.ids == tokenizer.encode(input, addSpecialTokens: true) && !made.isTruncated)
            #expect(made.types == [Int32](repeating: 0, count: made.ids.count))
        }
    }

    @Test func whatWasLeftOutIsTold() throws {
        let tokenizer = try Golden.tokenizer("wordpiece")
        let text = "the quick brown fox jumps over the lazy dog"
        let whole = try tokenizer.encode(text, nil, addSpecialTokens: true)
        let count = whole.ids.count
        for limit in [0, 1, 2, 3, count - 1, count, count + 1] {
            let cut = try tokenizer.encode(text, nil, addSpecialTokens: true, truncation: Truncation(limit: limit))
            #expect(cut.isTruncated == (limit < count))
            // The special tokens stay even where there is room for nothing.
            #expect(cut.ids.count == max(2, min(limit, count)))
            #expect(cut.ids.first == whole.ids.first && cut.ids.last == whole.ids.last)
        }
    }

    @Test func theTextThatAloneMayBeCutMustBeLongEnough() throws {
        let tokenizer = try Golden.tokenizer("wordpiece")
        #expect(throws: Truncation.TooShort()) {
            try tokenizer.encode(
                "fox", "the quick brown fox jumps over the lazy dog", addSpecialTokens: true,
                truncation: Truncation(limit: 6, strategy: .onlyFirst))
        }
    }
}
