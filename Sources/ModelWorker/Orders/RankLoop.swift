internal import ChildRuntime
internal import Models
internal import Tensors

/// The loop of every rank but the first: wait for rank 0's order, compute along, wait again. It knows no requests.
struct RankLoop {
    let model: any LanguageModel
    let compute: Compute
    let link: RankLink
    let stamp: ProgressStamp

    /// Computes until the supervision line ends the process.
    func run() -> Never {
        var input = ForwardInput()
        while true {
            stamp.enter(.idle)
            var expected = true
            // The next step usually follows at once; after that an idle rank wakes only to be seen alive.
            var kind: RankLink.Kind?
            while kind == nil {
                kind = link.receive(into: &input, expected: expected, seconds: 60)
                expected = false
            }
            switch kind {
            case .step: compute(input)
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
