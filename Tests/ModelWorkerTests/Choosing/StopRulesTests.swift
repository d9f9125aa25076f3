import Messages
import ModelWorker
import Testing

/// Ids are letters: 0 is a, 21 is a space, 22 and 23 are the two bytes of é, 20 ends an answer.
@Suite struct StopRulesTests {
    private func rules(_ most: Int = 100, _ fill: (inout SamplingParams) -> Void = { _ in }) throws -> StopRules {
        try StopRules(Toy.sampling(fill), maxNewTokens: most, endIDs: [20], vocabularySize: ToyModel.vocabularySize)
    }

    /// Where a text's output ends, and why; the prompt goes before it.
    private func run(_ rules: StopRules, prompt: [Int32] = [21], _ output: [Int32]) -> (
        place: Int, FinishReason.OneOf_Reason
    )? {
        var rules = rules
        var tokens = prompt
        for id in output {
            if let finish = rules.finish(tokens, promptCount: prompt.count, id, tokenizer: Toy.tokenizer) {
                return (tokens.count - prompt.count, finish.reason!)
            }
            tokens.append(id)
        }
        return nil
    }

    @Test func aStopStringEndsWhereItIsComplete() throws {
        let found = try run(rules { $0.stop = ["bcd", "x"] }, [0, 1, 2, 1, 2, 3, 4])
        #expect(found?.place == 5 && found?.1 == .stopString("bcd"))
    }

    @Test func aStopStringCountsInTheOutputOnly() throws {
        let rules = try rules { $0.stop = ["ab"] }
        #expect(run(rules, prompt: [0], [1, 2]) == nil)
        #expect(run(rules, prompt: [0, 1], [2, 3]) == nil)
        #expect(run(rules, prompt: [0, 1], [0, 1])?.place == 1)
    }

    @Test func theRestOfAPromptsCharacterIsNoTextOfTheOutput() throws {
        // Without what stands before it the second byte of é would be U+FFFD.
        #expect(try run(rules { $0.stop = ["\u{FFFD}"] }, prompt: [0, 22], [23, 1, 2]) == nil)
        #expect(try run(rules { $0.stopRegex = ["^b"] }, prompt: [0, 22], [23, 1])?.place == 1)
        #expect(try run(rules { $0.stop = ["é"] }, prompt: [0], [22, 23])?.place == 1)
    }

    @Test func aPatternIsToldByItsText() throws {
        let found = try run(rules { $0.stopRegex = ["q+r", "[a-c]{3}d"] }, [4, 0, 1, 2, 3])
        #expect(found?.place == 4 && found?.1 == .stopRegex("[a-c]{3}d"))
    }

    @Test func aPatternThatBacktracksWithoutEndEndsItsRequestByName() throws {
        let rules = try rules(300) { $0.stopRegex = ["q+r", "(a+)+b"] }
        let long = [Int32](repeating: 0, count: 200)
        let found = try #require(run(rules, long))
        guard case .aborted(let end) = found.1 else { throw Unexpected() }
        #expect(end.statusCode == 400 && end.message.contains("stop_regex") && end.message.contains("(a+)+b"))
        // The same text ends at the same place, whoever asks and however often.
        #expect(run(rules, long)?.place == found.place && found.place > 3)
    }

    @Test func allowedPatternsAreNeverTooMany() throws {
        let prose = (0..<300).map { (place: Int) -> Int32 in Int32((place * 7 + place / 5) % 15) }
        let rules = try rules(1000) { $0.stopRegex = (0..<32).map { "\\w+[:#] *\\d{\($0 + 1)}" } }
        #expect(run(rules, prose) == nil)
    }

    @Test func patternsThatLookAroundHaveFewSteps() throws {
        // Each step back reads the text once more: the steps of usual patterns would take far too long.
        let long = [Int32](repeating: 0, count: 200)
        let greedy = "(?:(?=a*)(?=a*)(?=a*)(?=a*)a|aa)*(?:[bx]|$(?<=b))"
        let found = try #require(run(rules(300) { $0.stopRegex = [greedy] }, long))
        guard case .aborted(let end) = found.1 else { throw Unexpected() }
        #expect(end.statusCode == 400 && end.message.contains("lookarounds"))
        let ordinary = try rules(1000) { $0.stopRegex = (0..<32).map { "(?<=[b-d])e{\($0 + 2)}(?!f)" } }
        #expect(run(ordinary, long) == nil)
    }

    @Test func theOrderIsNumberStringPatternIdLength() throws {
        let all = try rules(1) {
            $0.stop = ["a"]
            $0.stopRegex = ["[ab]"]
            $0.stopTokenIds = [0, 1, 2]
        }
        #expect(run(all, [-1])?.1 == .nan(true))
        #expect(run(all, [24])?.1 == .nan(true))
        #expect(run(all, [0])?.1 == .stopString("a"))
        #expect(run(all, [1])?.1 == .stopRegex("[ab]"))
        #expect(run(all, [2])?.1 == .stopToken(2))
        #expect(run(all, [3])?.1 == .length(1))
    }

    @Test func endIdsCountUnlessTheyAreIgnored() throws {
        #expect(try run(rules(), [3, 20])?.1 == .stopToken(20))
        #expect(try run(rules(3) { $0.ignoreEos = true }, [20, 20, 20, 20])?.1 == .length(3))
    }

    private struct Unexpected: Error {}
}
