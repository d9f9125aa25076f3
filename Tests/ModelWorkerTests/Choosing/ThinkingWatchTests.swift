import Messages
import ModelWorker
import Testing

/// Ids are letters: 0 is a. "ab" opens a thinking part, "cd" ends it, and so does "ut", where calls begin.
@Suite struct ThinkingWatchTests {
    private func part(isOpen: Bool = true, _ fill: (inout ThinkingPart) -> Void = { _ in }) -> ThinkingPart {
        .make {
            ($0.start, $0.end, $0.calls, $0.isOpen) = ("ab", "cd", "ut", isOpen)
            fill(&$0)
        }
    }

    /// The count after each id.
    private func counts(_ part: ThinkingPart, _ output: [Int32]) -> [Int] {
        var watch = ThinkingWatch(part, maxNewTokens: 100)
        return output.indices.map { index in
            watch.follow(output[..<index], output[index], Toy.tokenizer)
            return watch.count
        }
    }

    /// What comes out of a chooser whose logits want nothing but "f", behind ids that an earlier attempt left.
    private func chosen(_ part: ThinkingPart, _ count: Int, after resumed: [Int32] = []) throws -> [Int32] {
        let request = Toy.request(1, [21], Toy.sampling { $0.thinking = part }) { $0.resumedIds = resumed }
        var chooser = try TokenChooser(
            request, maxNewTokens: 20, endIDs: [], vocabularySize: ToyModel.vocabularySize)
        var sampler = Sampler(compute: Toy.compute, vocabularySize: ToyModel.vocabularySize)
        var tokens = [21] + resumed
        while tokens.count <= count {
            var row = [Float](repeating: 0, count: ToyModel.vocabularySize)
            row[5] = 1
            let choice = row.withUnsafeMutableBufferPointer {
                chooser.choose(from: $0, after: tokens, promptCount: 1, with: &sampler, tokenizer: Toy.tokenizer)
            }
            tokens.append(try #require(choice.token))
        }
        return Array(tokens.dropFirst())
    }

    @Test func theIdsBeforeTheEndMarkerCount() {
        #expect(counts(part(), [5, 6, 2, 3, 4, 2, 3]) == [1, 2, 3, 2, 2, 2, 2])
    }

    @Test func nothingCountsUntilThinkingHasBegun() {
        #expect(counts(part(isOpen: false), [5, 2, 3, 0, 1, 6, 2, 3]) == [0, 0, 0, 0, 5, 6, 7, 6])
    }

    @Test func anEndMarkerFromBeforeTheOpeningEndsNothing() {
        #expect(counts(part(isOpen: false), [2, 3, 0, 1, 5]) == [0, 0, 0, 4, 5])
    }

    @Test func callsOfToolsEndThinkingToo() {
        #expect(counts(part(), [5, 20, 19, 6]) == [1, 2, 1, 1])
    }

    @Test func aBudgetEndsThinkingWithItsMarkerAndTheModelGoesOn() throws {
        #expect(try chosen(part { $0.budget = 3 }, 8) == [5, 5, 5, 2, 3, 5, 5, 5])
        #expect(try chosen(part { $0.budget = 0 }, 4) == [2, 3, 5, 5])
        #expect(try chosen(part(), 5) == [5, 5, 5, 5, 5])
    }

    @Test func aShareIsOneOfTheTokensThatTheAnswerMayHave() throws {
        #expect(try chosen(part { $0.share = 0.2 }, 8) == [5, 5, 5, 5, 2, 3, 5, 5])
        #expect(try chosen(part { ($0.share, $0.budget) = (0.2, 1) }, 4) == [5, 2, 3, 5])
    }

    @Test func aBudgetOfThinkingThatNeverBeginsHoldsNobodyUp() throws {
        #expect(try chosen(part(isOpen: false) { $0.budget = 2 }, 5) == [5, 5, 5, 5, 5])
    }

    @Test func anAnswerThatWasInterruptedGoesOnAlike() throws {
        let part = part { $0.budget = 3 }
        let whole = try chosen(part, 10)
        for count in 0..<whole.count {
            #expect(try chosen(part, 10, after: Array(whole[..<count])) == whole, "after \(count) ids")
        }
    }

    @Test func theCountOfAnInterruptedAnswerIsThatOfAWholeOne() {
        let output: [Int32] = [5, 6, 2, 3, 4]
        for start in output.indices {
            var watch = ThinkingWatch(part(), maxNewTokens: 100)
            watch.follow(output[...start], nil, Toy.tokenizer)
            #expect(watch.count == counts(part(), output)[start])
        }
    }
}
