import Glibc
package import JSON

/// Predictions of a model on a text, and how they compare with a reference's.
package struct AccuracyReport {
    /// Path of the model.
    package let model: String
    /// How the model was run.
    package let settings: String
    /// What it is compared with.
    package let reference: String
    /// Tokens of a window.
    package let window: Int
    /// Whether there is anything to compare with.
    package let hasReference: Bool
    private var surprises: [Double] = []
    private var expectedSurprises: [Double] = []
    private var divergences: [Double] = []
    private var agreements = 0
    private var sameTokens: [Int] = []
    private var continuationLength = 0

    /// Starts an empty report.
    package init(model: String, settings: String, reference: String, window: Int, hasReference: Bool) {
        self.model = model
        self.settings = settings
        self.reference = reference
        self.window = window
        self.hasReference = hasReference
    }

    /// Takes the predictions of some positions, and the reference's of the same.
    package mutating func take(_ predictions: [Prediction], _ expected: [Prediction]?, divergences: [Double]) {
        surprises += predictions.map(\.surprise)
        guard let expected else { return }
        expectedSurprises += expected.map(\.surprise)
        agreements += zip(predictions, expected).count { $0.best == $1.best }
        self.divergences += divergences
    }

    /// Takes a greedy continuation and the reference's of the same prompt.
    package mutating func takeContinuation(_ ids: [Int32], expected: [Int32]) {
        sameTokens.append(zip(ids, expected).prefix { $0 == $1 }.count)
        continuationLength = expected.count
    }

    /// e to the mean surprise.
    package var perplexity: Double { Self.perplexity(surprises) }
    /// The same of the reference.
    package var referencePerplexity: Double { Self.perplexity(expectedSurprises) }
    /// Share of positions at which both hold the same token for the likeliest.
    package var topAgreement: Double { surprises.isEmpty ? 0 : Double(agreements) / Double(surprises.count) }
    /// Tokens of a continuation that are the reference's before the first that is not, in the mean.
    package var meanSameTokens: Double {
        sameTokens.isEmpty ? 0 : Double(sameTokens.reduce(0, +)) / Double(sameTokens.count)
    }

    private static func perplexity(_ surprises: [Double]) -> Double {
        surprises.isEmpty ? 0 : exp(surprises.reduce(0, +) / Double(surprises.count))
    }

    /// The figures in lines.
    package var text: String {
        let scored =
            "\(model), \(settings): perplexity \(decimal(perplexity, 4)) over \(surprises.count) tokens in windows of \(window)"
        guard hasReference else { return scored }
        let divergence = Summary(divergences)
        let whole = sameTokens.count { $0 == continuationLength }
        return """
            \(scored)
            \(reference): perplexity \(decimal(referencePerplexity, 4)); ratio \(decimal(perplexity / referencePerplexity, 5))
            likeliest token the same at \(decimal(100 * topAgreement, 2)) % of positions
            divergence from it \(decimal(divergence.mean, 6)) nats in the mean, \(decimal(divergence.p99, 6)) at the 99th percentile
            greedy: \(decimal(meanSameTokens, 1)) of \(continuationLength) tokens the same before the first difference, \
            in the mean of \(sameTokens.count); \(whole) wholly the same
            """
    }

    /// The figures by name.
    package var json: JSONValue {
        var object: JSONObject = [
            "model": .string(model), "settings": .string(settings), "window": .int(Int64(window)),
            "tokens": .int(Int64(surprises.count)), "perplexity": .double(perplexity),
        ]
        if hasReference {
            let divergence = Summary(divergences)
            object["reference"] = [
                "settings": .string(reference), "perplexity": .double(referencePerplexity),
                "same_likeliest_token": .double(topAgreement), "mean_divergence_nats": .double(divergence.mean),
                "p99_divergence_nats": .double(divergence.p99),
                "greedy_same_tokens": .array(sameTokens.map { .int(Int64($0)) }),
                "greedy_tokens": .int(Int64(continuationLength)),
            ]
        }
        return .object(object)
    }
}
