/// How positions turn into rotations of queries and keys: halves of a head's rotated part form the pairs.
package struct RopeConfig: Sendable, Equatable {
    /// Base of the frequencies: f_j = theta^(−2j/d).
    package var theta: Double
    /// How the frequencies are stretched for long contexts.
    package var scaling: RopeScaling
    /// How many numbers of a head are rotated (d): even, at most the head dimension.
    package var rotaryDimension: Int

    /// Puts checked values together.
    package init(theta: Double, scaling: RopeScaling, rotaryDimension: Int) {
        self.theta = theta
        self.scaling = scaling
        self.rotaryDimension = rotaryDimension
    }
}

/// The ways to stretch rotary frequencies, with checked parameters.
package enum RopeScaling: Sendable, Equatable {
    /// Plain rotation.
    case none
    /// Position divided by the factor.
    case linear(factor: Double)
    /// The base changed once for the stretched length.
    case dynamic(factor: Double)
    /// The base changed by an explicit factor.
    case dynamicAlpha(alpha: Double)
    /// Low frequencies divided, high ones kept, a ramp between (Llama 3.1).
    case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalMaxPositions: Int)
    /// YaRN (Peng et al. 2023).
    case yarn(YarnScaling)
    /// Divisors that a GGUF file carries as `rope_freqs.weight`: f'_j = f_j / factor_j; rotaryDimension / 2 of them.
    case frequencyFactors([Double])
}

/// Parameters of YaRN; defaults as in the reference.
package struct YarnScaling: Sendable, Equatable {
    /// How many times longer the context has become.
    package var factor: Double
    /// Context length before stretching.
    package var originalMaxPositions: Int
    /// Rotations within the original context above which a frequency is kept.
    package var betaFast = 32.0
    /// Rotations below which a frequency is divided by the factor.
    package var betaSlow = 1.0
    /// Weight of the kept frequencies.
    package var extrapolationFactor = 1.0
    /// Factor of the magnitude of cosines and sines.
    package var attentionFactor = 1.0
    /// Whether the ends of the ramp are rounded to whole dimensions.
    package var truncates = true
    /// Numerator of the magnitude, when the configuration gives both.
    package var mscale: Double?
    /// Denominator of the magnitude, when the configuration gives both.
    package var mscaleAllDimensions: Double?

    /// Takes the two parameters without a default.
    package init(factor: Double, originalMaxPositions: Int) {
        self.factor = factor
        self.originalMaxPositions = originalMaxPositions
    }
}
