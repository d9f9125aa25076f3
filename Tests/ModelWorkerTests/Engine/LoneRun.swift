import Messages
import ModelWorker

/// An answer: what a request is told when nobody else is there and nothing happens: one token after the other, without scheduler or slots.
struct LoneRun: Equatable {
    var ids: [Int32] = []
    var finish = FinishReason()
    /// Of its log probabilities: of the tokens, of the best, of those asked for.
    var scores: [[UInt32]] = [[], [], []]

    /// Nothing yet.
    init() {}

    /// Adds what a frame tells.
    mutating func add(_ frame: LogprobFrame) {
        for (index, list) in [frame.output, frame.outputTop, frame.outputChosen].enumerated() {
            scores[index] += list.values.map(\.bitPattern)
        }
    }

    /// Plays a request to its end.
    init(_ request: GenerateIDs, maxNewTokens: Int) throws {
        var sampler = Sampler(compute: Toy.compute, vocabularySize: ToyModel.vocabularySize)
        var chooser = try TokenChooser(
            request, maxNewTokens: maxNewTokens, endIDs: [20], vocabularySize: ToyModel.vocabularySize)
        var tokens = request.prompt
        while finish.reason == nil {
            var row = ToyModel.logits(behind: tokens)
            let choice = row.withUnsafeMutableBufferPointer {
                chooser.choose(
                    from: $0, after: tokens, promptCount: request.prompt.count, with: &sampler, tokenizer: Toy.tokenizer
                )
            }
            if let token = choice.token {
                tokens.append(token)
                ids.append(token)
            }
            if let end = choice.finish { finish = end }
        }
        if chooser.logprobs != nil { add(chooser.logprobs!.take(row: 0)) }
    }
}
