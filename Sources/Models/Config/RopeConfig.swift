#if canImport(Glibc)
    import Glibc
#endif

/// How positions turn into rotations of queries and keys: halves of a head's rotated part form the pairs, or neighbours.
package struct RopeConfig: Sendable, Equatable {
    /// Base of the frequencies: f_j = theta^(−2j/d).
    package var theta: Double
    /// How the frequencies are stretched for long contexts.
    package var scaling: RopeScaling
    /// How many numbers of a head are rotated (d): even, at most the head dimension.
    package var rotaryDimension: Int
    /// Whether neighbours form the pairs, instead of halves.
    package var isInterleaved = false
    /// How queries grow with their positions; nil where they do not.
    package var queryGrowth: QueryGrowth?

    /// Puts checked values together.
    package init(theta: Double, scaling: RopeScaling, rotaryDimension: Int) {
        self.theta = theta
        self.scaling = scaling
        self.rotaryDimension = rotaryDimension
    }
}

/// Attention temperature (as in Llama 4): queries are multiplied with 1 + beta · ln(1 + ⌊position / period⌋).
package struct QueryGrowth: Sendable, Equatable {
    /// How fast they grow.
    package var beta: Double
    /// Positions that are alike.
    package var period: Int

    /// Puts checked values together.
    package init(beta: Double, period: Int) {
        self.beta = beta
        self.period = period
    }

    /// The factor at a position.
    package func factor(at position: Int) -> Double { 1 + beta * log(1 + Double(position / period)) }
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
    /// LongRoPE (Ding et al. 2024).
    case longrope(LongRopeScaling)
    /// Gemma 4's: pairs beyond the first `rotated` are left alone, the others turn as if all did.
    case proportional(rotated: Int, factor: Double)
    /// Divisors that a GGUF file carries as `rope_freqs.weight`: f'_j = f_j / factor_j; rotaryDimension / 2 of them.
    case frequencyFactors([Double])
}

/// Parameters of LongRoPE: a divisor of each frequency, some for contexts up to the trained length and others beyond it.
package struct LongRopeScaling: Sendable, Equatable {
    /// Divisors where the server's context is at most `originalMaxPositions`.
    package var short: [Double]
    /// Divisors where it is longer.
    package var long: [Double]
    /// Context length before stretching.
    package var originalMaxPositions: Int
    /// Factor on cosines and sines.
    package var magnitude: Double

    /// Puts checked values together.
    package init(short: [Double], long: [Double], originalMaxPositions: Int, magnitude: Double) {
        self.short = short
        self.long = long
        self.originalMaxPositions = originalMaxPositions
        self.magnitude = magnitude
    }

    /// The divisors for a context: one choice for all requests of a server, so that no bit depends on a length still unknown.
    package func factors(positions: Int) -> [Double] { positions > originalMaxPositions ? long : short }
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
    /// Magnitude of cosines and sines, where the configuration states it.
    package var magnitude: Double?
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
