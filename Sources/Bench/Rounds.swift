/// Times work and limits in turn, so that both see the same machine.
struct Rounds {
    let machine: Machine
    let subject: Subject
    let batches: [Int]
    let prompt: Int
    let steps: Int
    let count: Int

    /// Runs all rounds and collects their figures.
    func run() -> Results {
        var results = Results(
            batches: batches, prompt: prompt, bytesPerStep: subject.bytesPerStep,
            operationsPerPrompt: 2 * Double(subject.parametersPerToken) * Double(prompt))
        _ = subject.prefill(prompt)
        var before = machine.bandwidth()
        for _ in 0..<count {
            for (index, batch) in batches.enumerated() {
                let seconds = median(subject.decode(batch: batch, steps: (steps + count - 1) / count))
                let after = machine.bandwidth()
                results.decode[index].add(seconds: seconds, limit: (before + after) / 2)
                before = after
            }
            let peak = machine.dotPeak()
            let seconds = subject.prefill(prompt)
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
    let batches: [Int]
    let prompt: Int
    var decode: [Series]
    var prefill: Series

    /// Starts empty series.
    init(batches: [Int], prompt: Int, bytesPerStep: Int, operationsPerPrompt: Double) {
        self.batches = batches
        self.prompt = prompt
        decode = batches.map { _ in Series(amount: Double(bytesPerStep) / 1e9) }
        prefill = Series(amount: operationsPerPrompt / 1e9)
    }

    /// Medians as lines of text.
    var table: String {
        let header = ["work", "ms", "tokens/s", "rate", "limit", "of limit", "worst..best"]
        var rows = zip(batches, decode).map { batch, series in
            row("decode \(batch)", series, tokens: batch, unit: "GB/s")
        }
        rows.append(row("prefill \(prompt)", prefill, tokens: prompt, unit: "GOP/s"))
        let widths = [13, 9, 10, 15, 15, 9, 12]
        return ([header] + rows).map { cells in
            zip(cells, widths).enumerated().map { index, cell in
                let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
                return index == 0 ? cell.0 + padding : padding + cell.0
            }.joined(separator: " ")
        }.joined(separator: "\n")
    }

    private func row(_ name: String, _ series: Series, tokens: Int, unit: String) -> [String] {
        let seconds = median(series.seconds)
        let percent = { (x: Double) in decimal(100 * x, 0) }
        return [
            name, decimal(seconds * 1e3, 2), decimal(Double(tokens) / seconds, 1),
            decimal(series.amount / seconds, 1) + " " + unit, decimal(median(series.limits), 1) + " " + unit,
            percent(median(series.ratios)) + " %",
            percent(series.ratios.min() ?? 0) + ".." + percent(series.ratios.max() ?? 0),
        ]
    }
}

/// The middle value, or the mean of the two in the middle; 0 of none.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    if sorted.isEmpty { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// A number with so many digits after the point.
func decimal(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
    let scaled = Int((value * scale).rounded())
    if digits == 0 { return "\(scaled)" }
    let fraction = String(scaled % Int(scale))
    return "\(scaled / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
}
