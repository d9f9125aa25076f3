import Messages
import ModelWorker
import Testing

/// What the detokenizer is told after each step.
@Suite struct TokenFramesTests {
    private static func endless(_ count: Int32) -> SamplingParams {
        Toy.sampling {
            $0.maxNewTokens = count
            $0.ignoreEos = true
        }
    }

    @Test func aStreamIsToldEachIntervalAndTheRestAtItsEnd() {
        let player = EnginePlayer()
        _ = player.send {
            $0.generate = Toy.request(1, [1, 2], Self.endless(8)) { $0.options.streamInterval = 3 }
        }
        let frames = player.finish().filter { !$0.requestIds.isEmpty }
        #expect(frames.map(\.counts) == [[1], [3], [3], [1]])
        #expect(frames.map(\.offsets) == [[0], [1], [4], [7]])
        #expect(frames.map { $0.finish[0].reason == nil } == [true, true, true, false])
        #expect(frames[3].finish[0].length == 8)
    }

    @Test func whatNobodyStreamsIsToldNowAndThenAllTheSame() {
        let player = EnginePlayer()
        _ = player.send {
            $0.generate = Toy.request(1, [1, 2], Self.endless(20)) { $0.options.stream = false }
        }
        #expect(player.finish().filter { !$0.requestIds.isEmpty }.map(\.counts) == [[1], [8], [8], [3]])
    }

    @Test func theFirstFrameSaysHowToDecodeAndWhatStandsBefore() {
        let player = EnginePlayer()
        let prompt = (0..<30).map { Int32($0 % 20) }
        let sampling = Toy.sampling {
            $0.skipSpecialTokens = true
            $0.noStopTrim = true
            $0.stop = ["zz"]
            $0.maxNewTokens = 2
            $0.ignoreEos = true
        }
        _ = player.send { $0.generate = Toy.request(1, prompt, sampling) }
        _ = player.send { $0.generate = Toy.request(2, [7], sampling) }
        let frames = player.finish()
        let openings = frames.flatMap(\.openings)
        #expect(openings.map(\.row) == [0, 1] && frames[1].openings.isEmpty)
        #expect(openings[0].skipSpecialTokens && openings[0].noStopTrim && openings[0].stop == ["zz"])
        #expect(openings[0].promptTail == Array(prompt.suffix(16)) && openings[1].promptTail == [7])
        #expect(frames[0].promptTokens == [30, 1] && frames[0].cachedTokens == [0, 0])
        #expect(frames[0].generation == 1)
    }

    @Test func idsOfAnEarlierAttemptComeFirstInARowOfTheirOwn() throws {
        let player = EnginePlayer()
        let asked = Toy.request(1, [1, 2], Self.endless(6)) { $0.logprobs = .make { $0.start = -1 } }
        let whole = try LoneRun(asked, maxNewTokens: 6)
        var again = asked
        again.key.attempt = 4
        again.resumedIds = Array(whole.ids.prefix(3))
        _ = player.send { $0.generate = again }
        let first = try #require(player.step())
        #expect(first.requestIds == [1, 1] && first.attempts == [4, 4])
        #expect(first.offsets == [0, 3] && first.counts == [3, 1])
        #expect(first.ids == Array(whole.ids.prefix(4)) && first.openings.map(\.row) == [0])
        // What was told before has no log probabilities now.
        #expect(first.logprobs.map(\.row) == [1] && first.logprobs[0].output.ids == [whole.ids[3]])
        #expect(first.finish.allSatisfy { $0.reason == nil })
        #expect(player.finish().flatMap(\.ids) == Array(whole.ids.suffix(2)))
    }

    @Test func aStepThatTellsNobodyAnythingHasNoFrame() {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, (0..<90).map { Int32($0 % 20) }, Self.endless(2)) }
        let frames = player.finish()
        #expect(frames.first?.requestIds.isEmpty == true && frames.dropFirst().allSatisfy { !$0.requestIds.isEmpty })
    }
}
