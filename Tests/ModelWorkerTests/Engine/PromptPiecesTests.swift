import ModelWorker
import Scheduling
import Testing

@Suite struct PromptPiecesTests {
    /// A batch of so many decoding rows and prompt tokens.
    private func batch(decoding: Int, prompt: Int) -> Batch {
        var batch = Batch()
        for id in 0..<decoding {
            batch.entries.append(.init(id: UInt64(id), start: 9, count: 1, logitsFrom: 9, yieldsToken: true))
        }
        if prompt > 0 {
            batch.entries.append(.init(id: 99, start: 0, count: prompt, logitsFrom: nil, yieldsToken: false))
        }
        batch.prefillTokens = prompt
        return batch
    }

    /// Pieces that know a machine of so many prompt tokens a second and so long a decode step.
    private func pieces(rate: Double, decode: Double, gap: Double = 0.1) -> PromptPieces {
        var pieces = PromptPieces(gap: gap)
        pieces.stepped(batch(decoding: 0, prompt: 1000), seconds: 1000 / rate)
        pieces.stepped(batch(decoding: 4, prompt: 0), seconds: decode)
        return pieces
    }

    @Test func aStepWithAPieceTakesAboutTheTarget() {
        for (rate, decode) in [(3000.0, 0.01), (800, 0.03), (20_000, 0.004)] {
            let limit = Double(pieces(rate: rate, decode: decode).limit)
            #expect(decode + limit / rate <= 0.1 && decode + (limit + 16) / rate > 0.08 * 0.99)
        }
    }

    @Test func aPromptIsNeverStarved() {
        #expect(pieces(rate: 100, decode: 0.05).limit == PromptPieces.smallest)
        #expect(pieces(rate: 3000, decode: 0.4).limit == PromptPieces.smallest)
        #expect(pieces(rate: 3000, decode: 0.01, gap: 0.001).limit == PromptPieces.smallest)
    }

    @Test func stepsThatTakeLongerThanThoughtMakePiecesSmaller() {
        var pieces = pieces(rate: 3000, decode: 0.01)
        let before = pieces.limit
        for _ in 0..<10 {
            pieces.stepped(batch(decoding: 4, prompt: pieces.limit), seconds: 0.01 + Double(pieces.limit) / 1500)
        }
        #expect(abs(Double(pieces.limit) - 0.07 * 1500) <= 16 && pieces.limit < before)
    }

    @Test func aBurstThatFindsNobodyStreamingIsComputedTogether() {
        var pieces = pieces(rate: 2000, decode: 0.01)
        #expect(!pieces.holdsLastTokens)
        pieces.rest()
        // The first of it arrives alone, the rest while that is computed: as much as a second's worth goes at once.
        #expect(pieces.holdsLastTokens)
        pieces.stepped(batch(decoding: 0, prompt: 128), seconds: 0.064)
        #expect(pieces.limit > 15 * 100 && pieces.holdsLastTokens)
        let burst = pieces.limit
        pieces.stepped(batch(decoding: 1, prompt: 1000), seconds: 0.5)
        #expect(pieces.limit == burst - 1000 && pieces.holdsLastTokens)
        pieces.stepped(batch(decoding: 8, prompt: burst - 1000), seconds: 0.4)
        #expect(pieces.limit <= 200 && !pieces.holdsLastTokens)
    }

    @Test func whoStreamsAlreadyIsNotKeptWaitingByABurst() {
        var pieces = pieces(rate: 2000, decode: 0.01)
        pieces.rest()
        pieces.stepped(batch(decoding: 0, prompt: 128), seconds: 0.064)
        pieces.stepped(batch(decoding: 1, prompt: 0), seconds: 0.01)
        #expect(pieces.limit <= 150 && !pieces.holdsLastTokens)
    }

    @Test func aBurstWithoutEndIsNotHeldForLong() {
        var pieces = pieces(rate: 2000, decode: 0.01)
        pieces.rest()
        var steps = 0
        while pieces.holdsLastTokens, steps < 100 {
            pieces.stepped(batch(decoding: 0, prompt: 500), seconds: 0.25)
            steps += 1
        }
        #expect(steps == 4)
    }

    @Test func beforeAnythingWasMeasuredPiecesAreOfMiddleSize() {
        #expect(PromptPieces(gap: 0.1).limit == PromptPieces.unmeasured)
    }
}
