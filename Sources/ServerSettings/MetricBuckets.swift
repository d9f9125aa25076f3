/// Bounds of the histograms that /metrics shows, as SGLang has them.
package struct MetricBuckets: Sendable, Equatable {
    /// Seconds.
    package var timeToFirstToken: [Double] = Self.firstToken
    package var interTokenLatency: [Double] = [
        0.002, 0.004, 0.006, 0.008, 0.010, 0.015, 0.020, 0.025, 0.030, 0.035, 0.040, 0.060, 0.080, 0.100, 0.200, 0.400,
        0.600, 0.800, 1, 2, 4, 6, 8,
    ]
    package var endToEnd: [Double] = Self.firstToken + [600, 1200, 1800, 2400]
    /// Tokens.
    package var promptTokens: [Double] = Self.lengths
    package var generationTokens: [Double] = Self.lengths
    /// Seconds from arrival to admission.
    package static let queueTime: [Double] =
        [0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 10, 15, 20]
        + stride(from: 30.0, through: 100, by: 10)
        + stride(from: 200.0, through: 1000, by: 100) + [1200, 1400, 1600, 1800, 2000, 2500, 3000]

    /// Seconds of the compilation of a grammar.
    package static let grammarCompilation: [Double] =
        [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 90, 120, 240]

    /// SGLang's bounds.
    package init() {}

    /// The bounds of the operator's flags.
    package init(_ settings: FrontSettings) {
        timeToFirstToken = settings.bucketTimeToFirstToken?.bounds ?? timeToFirstToken
        interTokenLatency = settings.bucketInterTokenLatency?.bounds ?? interTokenLatency
        endToEnd = settings.bucketEndToEndLatency?.bounds ?? endToEnd
        promptTokens = settings.promptTokensBuckets?.bounds ?? promptTokens
        generationTokens = settings.generationTokensBuckets?.bounds ?? generationTokens
    }

    private static let firstToken: [Double] = [
        0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400,
    ]
    private static let lengths: [Double] = [
        100, 300, 500, 700, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 12500, 15000, 17500,
        20000, 22500, 25000, 27500, 30000, 35000, 40000, 60000, 80000, 100_000, 200_000, 300_000, 400_000, 600_000,
        800_000, 1_000_000, 1_100_000,
    ]
}

/// A list of ascending bounds.
package struct BucketBounds: Sendable, Codable, Equatable {
    /// The bounds.
    package let bounds: [Double]

    /// Takes any numbers, in any order; nil when one is none.
    init?(_ words: [String]) {
        let numbers = words.compactMap { PythonNumber.float($0) }
        guard !words.isEmpty, numbers.count == words.count else { return nil }
        bounds = Set(numbers).sorted()
    }
}

/// Bounds as the flags for token counts write them: `default`, `tse MIDDLE BASE COUNT`, or `custom N N …`.
package struct BucketRule: Sendable, Codable, Equatable {
    /// The words of the flag.
    package let words: [String]
    /// The bounds they stand for; nil: SGLang's own.
    package let bounds: [Double]?

    /// Reads a rule; nil when it is malformed.
    init?(_ words: [String]) {
        self.words = words
        let numbers = words.dropFirst().compactMap { PythonNumber.float($0) }
        guard let name = words.first, numbers.count == words.count - 1 else { return nil }
        switch name {
        case "default" where numbers.isEmpty: bounds = nil
        case "custom" where !numbers.isEmpty: bounds = Set(numbers).sorted()
        case "tse" where numbers.count == 3 && numbers[1] > 1 && numbers[2] >= 1 && numbers[2] <= 1000:
            bounds = Self.twoSided(middle: numbers[0], base: numbers[1], count: Int(numbers[2]))
        default: return nil
        }
    }

    /// Exponential distances on both sides of a middle; what would be negative is 0.
    private static func twoSided(middle: Double, base: Double, count: Int) -> [Double] {
        var bounds: Set<Double> = [middle]
        var distance = 1.0
        for _ in 0..<(count + 1) / 2 {
            distance *= base
            bounds.formUnion([max(0, middle - distance), middle + distance])
        }
        return bounds.sorted()
    }
}

/// Constant labels of all metrics (`--extra-metric-labels`): a JSON object of texts.
package struct MetricLabels: Sendable, Codable, Equatable {
    /// As it was written.
    package let text: String
    /// Names and values in ascending order of names.
    package let pairs: [Pair]

    /// One label.
    package struct Pair: Sendable, Codable, Equatable {
        package let name: String
        package let value: String
    }
}
