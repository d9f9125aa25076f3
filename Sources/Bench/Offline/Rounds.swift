/// Times work and limits in turn, so that both see the same machine.
struct Rounds {
    let machine: Machine
    let subject: Subject
    let plan: WorkPlan
    let steps: Int
    let count: Int

    /// Runs all rounds and collects their figures.
    func run() -> Results {
        var results = Results(
            decode: plan.shapes.map { (shape: $0, series: Series(amount: Double(subject.bytes(of: $0)) / 1e9)) },
            prompt: plan.prompt,
            prefill: Series(amount: 2 * Double(subject.parametersPerToken) * Double(plan.prompt) / 1e9))
        _ = subject.prefill(plan.prompt)
        var before = machine.bandwidth()
        for _ in 0..<count {
            for (index, shape) in plan.shapes.enumerated() {
                let seconds = median(subject.decode(shape, steps: (steps + count - 1) / count))
                let after = machine.bandwidth()
                results.decode[index].series.add(seconds: seconds, limit: (before + after) / 2)
                before = after
            }
            let peak = machine.dotPeak()
            let seconds = subject.prefill(plan.prompt)
            results.prefill.add(seconds: seconds, limit: (peak + machine.dotPeak()) / 2)
        }
        return results
    }
}

/// The timings of one kind of work, each beside the limit measured around it.
struct Series {
    /// Bytes or operations of one piece of work, in units of 10⁹.
    let amount: Double
    private(set) var seconds: [Double] = []
    private(set) var limits: [Double] = []
    private(set) var ratios: [Double] = []

    /// Starts an empty series.
    init(amount: Double) { self.amount = amount }

    /// Takes one round's time and limit.
    mutating func add(seconds: Double, limit: Double) {
        self.seconds.append(seconds)
        limits.append(limit)
        ratios.append(amount / seconds / limit)
    }
}

/// All series of a run.
struct Results {
    var decode: [(shape: DecodeShape, series: Series)]
    let prompt: Int
    var prefill: Series
}
