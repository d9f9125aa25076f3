import Messages
import ModelWorker

/// An answer: what a request is told when nobody else is there and nothing happens: one token after the other, without scheduler or slots.
struct LoneRun: Equatable {
    var ids: [Int32] = []
    var finish = FinishReason()
    /// Of its log probabilities: of the tokens, of the best, of those asked for.
    var scores: [[UInt32]] = [[], [], []]
    /// Hidden states of the prompt before its last row, and of the rows that ids were chosen from.
    var hidden: [[Float]] = [[], []]

    /// Nothing yet.
    init() {}

    /// Adds what a frame tells.
    mutating func add(_ frame: LogprobFrame) {
        for (index, list) in [frame.output, frame.outputTop, frame.outputChosen].enumerated() {
            scores[index] += list.values.map(\.bitPattern)
        }
    }

    /// Adds what a frame tells that covers `count` ids, of which the first `known` were told before.
    mutating func add(_ frame: HiddenFrame, known: Int) {
        if hidden[1].isEmpty { hidden[0] = frame.inputNumbers }
        hidden[1] += frame.outputNumbers.dropFirst(known * ToyModel.hiddenSize)
    }

    /// Plays a request to its end; `weights` says which ones each of its ids is computed with, the last of them all others.
    init(_ request: GenerateIDs, maxNewTokens: Int, weights: [UInt64] = [0]) throws {
        var sampler = Sampler(compute: Toy.compute, vocabularySize: ToyModel.vocabularySize)
        var chooser = try TokenChooser(
            request, maxNewTokens: maxNewTokens, endIDs: [20], vocabularySize: ToyModel.vocabularySize,
            grammar: Toy.grammar(of: request.sampling))
        var tokens = request.prompt
        while finish.reason == nil {
            let number = weights[min(ids.count, weights.count - 1)]
            var row = ToyModel.logits(behind: tokens, weights: number)
            let choice = row.withUnsafeMutableBufferPointer {
                chooser.choose(
                    from: $0, after: tokens, promptCount: request.prompt.count, with: &sampler, tokenizer: Toy.tokenizer
                )
            }
            if let token = choice.token {
                if request.options.hiddenStates != .noRow {
                    hidden[1] += ToyModel.hidden(behind: tokens, weights: number)
                }
                tokens.append(token)
                ids.append(token)
            }
            if let end = choice.finish { finish = end }
        }
        if request.options.hiddenStates == .everyRow {
            for end in 1..<request.prompt.count {
                hidden[0] += ToyModel.hidden(behind: request.prompt[..<end], weights: weights[0])
            }
        }
        if chooser.logprobs != nil { add(chooser.logprobs!.take(row: 0)) }
    }
}
