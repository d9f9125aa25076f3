internal import APICore
internal import Ledger
internal import Messages

extension Generate {
    /// A request that samples nothing and changes no logits, for the log probabilities of some tokens behind its prompt.
    static func scoring(_ labels: [Int32]) -> Generate {
        .make {
            $0.sampling = .make {
                $0.maxNewTokens = 1
                $0.temperature = 1
                $0.topP = 1
                $0.topK = 1
                $0.repetitionPenalty = 1
                $0.ignoreEos = true
            }
            $0.logprobs = .make {
                $0.start = -1
                $0.tokenIds = .make { $0.ids = labels }
            }
            $0.options = .make { $0.streamInterval = 1 }
        }
    }
}

extension LedgerRow {
    /// The log probabilities of the tokens that were asked for behind the prompt.
    ///
    /// - Throws: `.refused` for a row that was aborted: there is nothing to show.
    func labelLogprobs(_ count: Int) throws(RequestFailure) -> [Double] {
        _ = try vector()
        return output.chosenLogprobs.values.prefix(count).map(Double.init)
    }
}
