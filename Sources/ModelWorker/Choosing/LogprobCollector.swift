package import Messages
package import Tensors

/// Gathers the log probabilities of one request until a frame takes them.
package struct LogprobCollector: Sendable {
    package let options: LogprobOptions
    private var input: InputLogprobs?
    private var output = LogprobFrame()

    package init(_ options: LogprobOptions) { self.options = options }

    /// The prompt is scored (again) from its first scored position, whose own token has no predecessor that counts.
    package mutating func startInput(prompt: ArraySlice<Int32>) {
        guard options.start >= 0, let first = prompt.first else { return }
        var scored = InputLogprobs()
        scored.tokens.values = [.nan]
        scored.tokens.ids = [first]
        input = scored
    }

    /// Scores the prompt token that follows the row's position.
    package mutating func addInput(_ row: LogitRow, token: Int32) {
        guard input != nil else { return }
        input!.tokens.values.append(row.logprob(token))
        input!.tokens.ids.append(token)
        row.appendTop(Int(options.topCount), to: &input!.top)
        row.appendChosen(options.tokenIds.ids, to: &input!.chosen)
    }

    /// With scores of the output only, asked ids are scored once for the prompt's last position too.
    package mutating func addLastInput(_ row: LogitRow) {
        guard options.start < 0, options.hasTokenIds else { return }
        var scored = InputLogprobs()
        row.appendChosen(options.tokenIds.ids, to: &scored.chosen)
        input = scored
    }

    /// Scores a generated token.
    package mutating func addOutput(_ row: LogitRow, token: Int32) {
        output.output.values.append(row.logprob(token))
        output.output.ids.append(token)
        row.appendTop(Int(options.topCount), to: &output.outputTop)
        row.appendChosen(options.tokenIds.ids, to: &output.outputChosen)
    }

    /// What was gathered since the last frame.
    package mutating func take(row: Int) -> LogprobFrame {
        var frame = output
        frame.row = UInt32(row)
        if let input { frame.input = input }
        output = LogprobFrame()
        input = nil
        return frame
    }
}

/// A row of logits seen as a distribution: log-softmax of the logits times an inverse temperature.
package struct LogitRow {
    let logits: UnsafePointer<Float>
    let size: Int
    let compute: Compute
    private let normalizer: LogNormalizer

    /// A row of penalised logits.
    package init(_ logits: UnsafeMutableBufferPointer<Float>, inverseTemperature: Float, compute: Compute) {
        self.logits = UnsafePointer(logits.baseAddress!)
        size = logits.count
        self.compute = compute
        var normalizer = LogNormalizer()
        compute.logNormalizers(self.logits, rows: 1, size: size, scale: inverseTemperature, into: &normalizer)
        self.normalizer = normalizer
    }

    /// Log probability of a token; an impossible one has the smallest float, as JSON has no infinity.
    func logprob(_ token: Int32) -> Float {
        guard token >= 0, Int(token) < size else { return -.greatestFiniteMagnitude }
        return max(normalizer.logProbability(of: logits[Int(token)]), -.greatestFiniteMagnitude)
    }

    func appendTop(_ count: Int, to list: inout TokenLogprobs) {
        guard count > 0 else { return }
        var values = [Float](repeating: 0, count: min(count, size))
        var indices = [Int32](repeating: 0, count: min(count, size))
        let found = compute.topK(logits, size: size, count: min(count, size), values: &values, indices: &indices)
        for index in 0..<found {
            list.ids.append(indices[index])
            list.values.append(logprob(indices[index]))
        }
    }

    func appendChosen(_ ids: [Int32], to list: inout TokenLogprobs) {
        for id in ids {
            list.ids.append(id)
            list.values.append(logprob(id))
        }
    }
}
