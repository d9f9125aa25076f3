/// The curve that explains decode steps: weights at the bandwidth, a fixed cost, so much for each further sequence, and
/// keys and values at a rate of their own.
package struct StepModel {
    /// Seconds to read the weights at the bandwidth that was measured beside the steps.
    package let weightSeconds: Double
    /// What a step of one sequence takes beyond that; negative when weights were read faster than the bandwidth says.
    package let fixedSeconds: Double
    /// What each further sequence of a step takes.
    package let secondsPerSequence: Double
    /// What each byte of keys and values takes.
    package let secondsPerByte: Double
    /// How far each observation is from the curve, as a fraction of the observation.
    package private(set) var errors: [Double] = []

    /// One kind of step and how long it takes.
    package struct Observation {
        /// Sequences of the step.
        package let batch: Int
        /// Bytes of keys and values that the step's attention goes through.
        package let keyValueBytes: Double
        /// What it takes.
        package let seconds: Double

        /// States an observation.
        package init(batch: Int, keyValueBytes: Double, seconds: Double) {
            self.batch = batch
            self.keyValueBytes = keyValueBytes
            self.seconds = seconds
        }
    }

    /// Fits the three unknowns; nil when the observations do not tell them apart.
    ///
    /// - Parameter bandwidth: bytes per second.
    package init?(_ observations: [Observation], weightBytes: Double, bandwidth: Double) {
        // Divided by the time, so that a fast step's error counts as much as a slow one's.
        let rows = observations.map { step in
            [1, Double(step.batch - 1), step.keyValueBytes].map { $0 / step.seconds }
        }
        guard let fit = leastSquares(rows, targets: observations.map { _ in 1 }) else { return nil }
        weightSeconds = weightBytes / bandwidth
        fixedSeconds = fit[0] - weightSeconds
        secondsPerSequence = fit[1]
        secondsPerByte = fit[2]
        errors = observations.map { step in
            seconds(batch: step.batch, keyValueBytes: step.keyValueBytes) / step.seconds - 1
        }
    }

    /// What the curve says of a step.
    package func seconds(batch: Int, keyValueBytes: Double) -> Double {
        weightSeconds + fixedSeconds + Double(batch - 1) * secondsPerSequence + keyValueBytes * secondsPerByte
    }

    /// The curve in words.
    package var text: String {
        let milliseconds = { (seconds: Double) in decimal(seconds * 1e3, 2) + " ms" }
        let distances = errors.map { abs($0) * 100 }
        return """
            step = \(milliseconds(weightSeconds)) (weights at the bandwidth) + \(milliseconds(fixedSeconds)) fixed + \
            \(milliseconds(secondsPerSequence)) for each further sequence + keys and values at \
            \(decimal(1e-9 / secondsPerByte, 1)) GB/s; off by \(decimal(median(distances), 0)) % in the median, \
            \(decimal(distances.max() ?? 0, 0)) % at most
            """
    }
}
