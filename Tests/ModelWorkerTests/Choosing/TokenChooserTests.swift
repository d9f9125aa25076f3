import Messages
import ModelWorker
import Testing

/// Biases and temperatures at the ends of what numbers can say.
@Suite struct TokenChooserTests {
    private func choose(
        _ logits: [Float], _ fill: (inout SamplingParams) -> Void
    ) throws -> (choice: TokenChooser.Choice, logprob: Float?) {
        let request = Toy.request(
            1, [1],
            Toy.sampling {
                $0.topK = -1
                fill(&$0)
            }
        ) { $0.logprobs = .make { $0.start = -1 } }
        var chooser = try TokenChooser(request, maxNewTokens: 5, endIDs: [], vocabularySize: logits.count)
        var sampler = Sampler(compute: Toy.compute, vocabularySize: logits.count)
        var row = logits
        let choice = row.withUnsafeMutableBufferPointer {
            chooser.choose(from: $0, after: [1], promptCount: 1, with: &sampler, tokenizer: nil)
        }
        return (choice, chooser.logprobs?.take(row: 0).output.values.first)
    }

    @Test(
        arguments: [100, 1e30, 3e38, Float.greatestFiniteMagnitude, .infinity],
        [0, 0.00001, 0.01, 1, 1e38, Float.infinity])
    func aFavouredIdComesWhateverTheBias(bias: Float, temperature: Float) throws {
        for filtered in [false, true] {
            let (choice, logprob) = try choose([1, 2, 3, 4]) {
                $0.temperature = temperature
                if filtered { $0.topP = 0.9 }
                ($0.logitBiasIds, $0.logitBiasValues) = ([2], [bias])
            }
            // A temperature as large as the bias lets the others come too.
            if min(bias, .greatestFiniteMagnitude) / max(temperature, 1e-6) > 50 { #expect(choice.token == 2) }
            #expect(choice.finish == nil && choice.token != nil && logprob?.isNaN == false)
        }
    }

    @Test(arguments: [0, 0.00001, 1, 1e38, Float.infinity])
    func whatIsForbiddenNeverComes(temperature: Float) throws {
        for seed in 0..<50 {
            let (choice, logprob) = try choose([5, 5, 5, 5, 5]) {
                $0.temperature = temperature
                $0.seed = UInt64(seed)
                ($0.logitBiasIds, $0.logitBiasValues) = (
                    [0, 1, 3, 4], [-.infinity, -.infinity, -.infinity, -.infinity]
                )
            }
            #expect(choice.token == 2 && logprob == 0)
        }
    }

    @Test func theLargerOfTwoHugeBiasesWins() throws {
        let (choice, logprob) = try choose([1, 2, 3, 4]) {
            $0.temperature = 0.001
            ($0.logitBiasIds, $0.logitBiasValues) = ([0, 1], [3e38, 2e38])
        }
        #expect(choice.token == 0 && logprob == 0)
    }

    @Test func whereNothingIsLeftTheRequestIsToldSo() throws {
        for temperature: Float in [0, 1] {
            let (choice, _) = try choose([1, 2]) {
                $0.temperature = temperature
                ($0.logitBiasIds, $0.logitBiasValues) = ([0, 1], [-.infinity, -.infinity])
            }
            #expect(choice.token == nil && choice.finish?.aborted.statusCode == 400)
            #expect(choice.finish?.aborted.message.contains("logit_bias") == true)
        }
    }

    @Test func aRowWithoutNumbersIsToldAsSuch() throws {
        #expect(try choose([1, .nan, 2]) { _ in }.choice.finish?.nan == true)
    }

    @Test func whoAsksForNoTokenGetsNone() throws {
        let request = Toy.request(1, [1], Toy.sampling { $0.maxNewTokens = 0 })
        var chooser = try TokenChooser(request, maxNewTokens: 0, endIDs: [], vocabularySize: 3)
        var sampler = Sampler(compute: Toy.compute, vocabularySize: 3)
        var row: [Float] = [1, 2, 3]
        let choice = row.withUnsafeMutableBufferPointer {
            chooser.choose(from: $0, after: [1], promptCount: 1, with: &sampler, tokenizer: nil)
        }
        #expect(choice == .init(token: nil, finish: .make { $0.length = 0 }))
    }
}
