import Foundation
import Messages
import ModelWorker
import Tensors
import Testing

private let compute = Compute(threads: 1)

private func params(_ fill: (inout SamplingParams) -> Void) -> SamplingParams {
    .make {
        $0.temperature = 1
        $0.topP = 1
        $0.topK = -1
        $0.repetitionPenalty = 1
        fill(&$0)
    }
}

/// How often each id is drawn over many positions.
private func histogram(_ logits: [Float], _ sampling: SamplingParams, draws: Int = 20_000) -> [Double] {
    var sampler = Sampler(compute: compute, vocabularySize: logits.count)
    var counts = [Double](repeating: 0, count: logits.count)
    for position in 0..<draws { counts[Int(sampler.choose(logits, sampling, position: position).token)] += 1 }
    return counts.map { $0 / Double(draws) }
}

@Suite struct SamplerTests {
    @Test func greedyTakesTheLargestAndTheLowestIdOnTies() {
        var sampler = Sampler(compute: compute, vocabularySize: 4)
        let greedy = params { $0.topK = 1 }
        #expect(sampler.choose([1, 3, 3, 2], greedy, position: 0).token == 1)
        #expect(sampler.choose([1, 3, 3, 2], params { $0.temperature = 0 }, position: 5).token == 1)
    }

    @Test func aRowWithoutNumbersIsReported() {
        var sampler = Sampler(compute: compute, vocabularySize: 3)
        #expect(sampler.choose([0, .nan, 1], params { _ in }, position: 0).token == -1)
    }

    @Test func drawsFollowTheSoftmax() {
        let logits: [Float] = [0, 1, 2, -1]
        let total = logits.reduce(0) { $0 + exp(Double($1)) }
        for (share, logit) in zip(histogram(logits, params { $0.seed = 3 }), logits) {
            #expect(abs(share - exp(Double(logit)) / total) < 0.015)
        }
    }

    @Test func topKKeepsTheBest() {
        let shares = histogram(
            [0, 1, 2, 3, 3.5],
            params {
                $0.topK = 2; $0.seed = 1
            })
        #expect(shares[0] == 0 && shares[1] == 0 && shares[2] == 0 && shares[3] > 0.3)
    }

    @Test func topPDropsWhatComesAfterTheNucleus() {
        // Probabilities 0.5, 0.3, 0.15, 0.05: the third begins at 0.8, which is above 0.79.
        let logits: [Float] = [0.5, 0.3, 0.15, 0.05].map { Float(log($0)) }
        let shares = histogram(
            logits,
            params {
                $0.topP = 0.79; $0.seed = 9
            })
        #expect(shares[2] == 0 && shares[3] == 0)
        #expect(abs(shares[0] - 0.625) < 0.02)
    }

    @Test func minPDropsWhatIsFarBelowTheBest() {
        let logits: [Float] = [0.6, 0.3, 0.1].map { Float(log($0)) }
        let shares = histogram(
            logits,
            params {
                $0.minP = 0.4; $0.seed = 2
            })
        #expect(shares[2] == 0 && shares[1] > 0.25)
    }

    @Test func aLargeNucleusIsSortedAsFarAsNeeded() {
        let logits = [Float](repeating: 0, count: 5000)
        var sampler = Sampler(compute: compute, vocabularySize: logits.count)
        let sampling = params {
            $0.topP = 0.9; $0.seed = 4
        }
        let drawn = (0..<400).map { sampler.choose(logits, sampling, position: $0).token }
        #expect(drawn.max()! > 3500 && drawn.max()! < 4510)
    }

    @Test func drawsDependOnSeedAndPositionOnly() {
        let logits = (0..<100).map { Float($0 % 7) }
        var first = Sampler(compute: compute, vocabularySize: 100)
        var second = Sampler(compute: compute, vocabularySize: 100)
        let sampling = params { $0.seed = 77 }
        let forward = (0..<50).map { first.choose(logits, sampling, position: $0) }
        let backward = (0..<50).reversed().map { second.choose(logits, sampling, position: $0) }
        #expect(forward == backward.reversed())
        let other = (0..<50).map { first.choose(logits, params { $0.seed = 78 }, position: $0) }
        #expect(other != forward)
    }
}

@Suite struct PenaltiesTests {
    private func apply(_ penalties: Penalties, _ logits: [Float]) -> [Float] {
        var logits = logits
        logits.withUnsafeMutableBufferPointer { penalties.apply(to: $0) }
        return logits
    }

    @Test func frequencyAndPresenceLowerWhatWasGenerated() {
        let sampling = params {
            $0.frequencyPenalty = 0.5; $0.presencePenalty = 1
        }
        #expect(apply(Penalties(sampling, stopIDs: [], output: [1, 1, 2]), [1, 1, 1, 1]) == [1, -1, -0.5, 1])
    }

    @Test func repetitionDividesPositiveAndMultipliesNegativeLogits() {
        let sampling = params { $0.repetitionPenalty = 2 }
        #expect(apply(Penalties(sampling, stopIDs: [], output: [0, 1]), [4, -4, 4]) == [2, -8, 4])
    }

    @Test func endIdsAreImpossibleUntilEnoughIsGenerated() {
        var penalties = Penalties(params { $0.minNewTokens = 2 }, stopIDs: [1], output: [0])
        #expect(apply(penalties, [1, 1]) == [1, -.infinity])
        penalties.count(0)
        #expect(apply(penalties, [1, 1]) == [1, 1])
    }

    @Test func aBiasCannotLiftWhatIsImpossible() {
        let sampling = params {
            $0.minNewTokens = 1; $0.logitBiasIds = [1, 0, 99]; $0.logitBiasValues = [100, 2, 5]
        }
        #expect(apply(Penalties(sampling, stopIDs: [1], output: [Int32]()), [1, 1]) == [3, -.infinity])
    }
}
