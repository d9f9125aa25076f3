package import Messages

/// Changes to the logits that depend on what a request has generated so far; in SGLang's order (sampling-params, steps 2 to 5).
package struct Penalties: Sendable {
    private let frequency: Float
    private let presence: Float
    private let repetition: Float
    private let minNewTokens: Int
    private let stopIDs: [Int32]
    private let biasIDs: [Int32]
    private let biasValues: [Float]
    /// How often each id was generated; kept only when a penalty needs it.
    private var counts: [Int32: Float] = [:]
    private var generated = 0

    /// `stopIDs` are the ids that may not come before `min_new_tokens` are generated.
    package init(_ sampling: SamplingParams, stopIDs: [Int32], output: some Sequence<Int32>) {
        frequency = sampling.frequencyPenalty
        presence = sampling.presencePenalty
        repetition = sampling.repetitionPenalty
        minNewTokens = Int(sampling.minNewTokens)
        self.stopIDs = stopIDs
        biasIDs = sampling.logitBiasIds
        // Infinity minus infinity is no number. A bias of minus infinity forbids its id for good.
        biasValues = sampling.logitBiasValues.map { $0.isNaN ? 0 : min($0, .greatestFiniteMagnitude) }
        for id in output { count(id) }
    }

    private var weighsHistory: Bool { frequency != 0 || presence != 0 || repetition != 1 }

    /// Notes a generated id.
    package mutating func count(_ id: Int32) {
        generated += 1
        if weighsHistory { counts[id, default: 0] += 1 }
    }

    /// Whether an id may not come yet.
    package func forbids(_ id: Int32) -> Bool { generated < minNewTokens && stopIDs.contains(id) }

    /// Applies everything to one row of logits.
    package func apply(to logits: UnsafeMutableBufferPointer<Float>) {
        if weighsHistory {
            for (id, count) in counts where logits.indices.contains(Int(id)) {
                logits[Int(id)] -= frequency * count + presence
            }
        }
        if generated < minNewTokens {
            for id in stopIDs where logits.indices.contains(Int(id)) { logits[Int(id)] = -.infinity }
        }
        if repetition != 1 {
            for id in counts.keys where logits.indices.contains(Int(id)) {
                let value = logits[Int(id)]
                logits[Int(id)] = value > 0 ? value / repetition : value * repetition
            }
        }
        for (id, bias) in zip(biasIDs, biasValues) where logits.indices.contains(Int(id)) {
            logits[Int(id)] = min(logits[Int(id)] + bias, .greatestFiniteMagnitude)
        }
    }
}
