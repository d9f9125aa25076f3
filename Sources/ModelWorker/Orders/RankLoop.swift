internal import ChildRuntime
internal import Models
internal import Tensors

/// The loop of every rank but the first: wait for rank 0's order, compute along, wait again. It knows no requests.
struct RankLoop {
    let model: any LanguageModel
    let compute: Compute
    let link: RankLink
    let weights: RankWeights
    let stamp: ProgressStamp

    /// Computes until the supervision line ends the process.
    ///
    /// - Throws: when the rank cannot do what all others do; the group ends then.
    func run() throws -> Never {
        var input = ForwardInput()
        while true {
            stamp.enter(.idle)
            var expected = true
            // The next step usually follows at once; after that an idle rank wakes only to be seen alive.
            var order: (kind: RankLink.Kind, text: String)?
            while order == nil {
                order = link.receive(into: &input, expected: expected, seconds: 60)
                expected = false
            }
            switch order {
            case (.step, _)?: compute(input)
            case (.report, _)?: link.exchange(weights.state)
            case (let kind, let text)?:
                link.acknowledge()
                try weights.obey(kind, text)
            case nil: break
            }
        }
    }

    private func compute(_ input: borrowing ForwardInput) {
        stamp.enter(input.tokens.count > input.sequences.count ? .prefill : .decode)
        compute.beginStep()
        model.forward(input)
        let rows = input.logitRows.count
        for first in stride(from: 0, to: rows, by: model.limits.logitRows) {
            model.shareLogits(first..<min(rows, first + model.limits.logitRows))
        }
        compute.endStep()
    }
}
