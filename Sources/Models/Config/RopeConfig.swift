/// How positions turn into rotations of queries and keys.
package struct RopeConfig: Sendable, Equatable {
    /// Base of the frequencies: f_j = theta^(−2j/d).
    package var theta: Double
    /// How the frequencies are stretched for long contexts.
    package var scaling: RopeScaling
    /// How many numbers of a head are rotated (d): even, at most the head dimension.
    package var rotaryDimension: Int
    /// Whether number j pairs with j + d/2 (true), or 2j with 2j + 1 (false).
    package var isNeoxStyle: Bool

    /// Puts checked values together.
    package init(theta: Double, scaling: RopeScaling, rotaryDimension: Int, isNeoxStyle: Bool = true) {
        self.theta = theta
        self.scaling = scaling
        self.rotaryDimension = rotaryDimension
        self.isNeoxStyle = isNeoxStyle
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
    /// YaRN (Peng et al. 2023), plain or in DeepSeek's variant.
    case yarn(YarnScaling)
    /// A table of divisors for short and one for long contexts (LongRoPE, Ding et al. 2024).
    case longRope(LongRopeScaling)
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
    /// Whether the magnitude also enters the scale of the softmax, as in DeepSeek.
    package var isDeepseek = false

    /// Takes the two parameters without a default.
    package init(factor: Double, originalMaxPositions: Int) {
        self.factor = factor
        self.originalMaxPositions = originalMaxPositions
    }
}

/// Parameters of LongRoPE; both tables have rotaryDimension / 2 positive entries.
package struct LongRopeScaling: Sendable, Equatable {
    /// Divisors of the frequencies for contexts up to the original length.
    package var shortFactors: [Double]
    /// Divisors for longer contexts.
    package var longFactors: [Double]
    /// Context length before stretching.
    package var originalMaxPositions: Int
    /// Magnitude for short contexts, if not the usual formula.
    package var shortMscale: Double?
    /// Magnitude for long contexts, if not the usual formula.
    package var longMscale: Double?

    /// Takes the parameters without a default.
    package init(shortFactors: [Double], longFactors: [Double], originalMaxPositions: Int) {
        self.shortFactors = shortFactors
        self.longFactors = longFactors
        self.originalMaxPositions = originalMaxPositions
    }
}

/// The rope section of a configuration in either dialect: `rope_parameters`, or `rope_theta` beside `rope_scaling`.
struct RopeFields {
    private let top: ConfigFields
    private let scaling: ConfigFields?

    /// Finds the section in the top level of a configuration.
    init(_ top: ConfigFields) throws(CheckpointError) {
        self.top = top
        guard let parameters = try top.object("rope_parameters") else {
            scaling = try top.object("rope_scaling")
            return
        }
        // Per layer type in models with two kinds of attention; full attention is the one served here.
        scaling = try parameters.object("full_attention") ?? parameters
    }

    /// What the context length is multiplied with: the factor, unless the maximum already includes it.
    func contextFactor() throws(CheckpointError) -> Double {
        if try type() == "llama3" { return 1 }
        return try originalMaxPositions() == nil ? factor() : 1
    }

    /// Base frequency, scaling and rotated size for heads of `headDimension`.
    func rope(
        headDimension: Int, maxPositions: Int, defaultTheta: Double
    ) throws(CheckpointError) -> RopeConfig {
        let theta = try holder(of: "rope_theta").number("rope_theta", in: 1e-3...1e15) ?? defaultTheta
        let partialKey = "partial_rotary_factor"
        let partial = try holder(of: partialKey).number(partialKey, in: 1e-3...1.0) ?? 1
        // The addend keeps a quotient such as 2 / 98 from coming back as 1.999….
        let rotary = Int(Double(headDimension) * partial + 1e-6)
        guard rotary >= 2, rotary % 2 == 0 else {
            throw top.error("partial_rotary_factor", "rotates \(rotary) numbers of a head of \(headDimension)")
        }
        let scaling = try self.scaling(rotaryDimension: rotary, maxPositions: maxPositions)
        let isNeox = try top.boolean("rope_is_neox_style") ?? true
        return RopeConfig(theta: theta, scaling: scaling, rotaryDimension: rotary, isNeoxStyle: isNeox)
    }

    /// The object that has the key: the scaling section before the top level.
    private func holder(of key: String) -> ConfigFields {
        if let scaling, scaling.has(key) { scaling } else { top }
    }

    private func type() throws(CheckpointError) -> String {
        guard let scaling else { return "default" }
        return try scaling.string("rope_type", "type") ?? "default"
    }

    private func factor() throws(CheckpointError) -> Double {
        try scaling?.number("factor", in: 1e-3...1e6) ?? 1
    }

    private func originalMaxPositions() throws(CheckpointError) -> Int? {
        let key = "original_max_position_embeddings"
        return try holder(of: key).integer(key, in: 1...ModelConfig.positionLimit)
    }

    private func scaling(rotaryDimension: Int, maxPositions: Int) throws(CheckpointError) -> RopeScaling {
        guard let scaling else { return .none }
        let kind = try type()
        let positive = 1e-6...1e6
        switch kind {
        case "default", "none", "mrope": return .none
        case "linear": return .linear(factor: try factor())
        case "dynamic":
            // The exponent of the changed base is d / (d − 2).
            guard rotaryDimension > 2 else {
                throw top.error("rope_scaling", "`dynamic` needs more than 2 rotated numbers")
            }
            if let alpha = try scaling.number("alpha", in: positive) { return .dynamicAlpha(alpha: alpha) }
            return .dynamic(factor: try factor())
        case "llama3":
            return .llama3(
                factor: try factor(),
                lowFrequencyFactor: try scaling.number("low_freq_factor", in: positive) ?? 1,
                highFrequencyFactor: try scaling.number("high_freq_factor", in: positive) ?? 4,
                originalMaxPositions: try originalMaxPositions() ?? maxPositions)
        case "yarn", "deepseek_yarn":
            return .yarn(try yarn(scaling, maxPositions: maxPositions, isDeepseek: kind == "deepseek_yarn"))
        case "longrope", "su":
            return .longRope(try longRope(scaling, rotaryDimension: rotaryDimension, maxPositions: maxPositions))
        case RopeFields.frequencyFactorsType:
            return .frequencyFactors(try factors(scaling, "factors", count: rotaryDimension / 2))
        default: throw scaling.error("rope_type", "Unknown RoPE scaling type \(printable(kind))")
        }
    }

    /// The type under which the divisors of a GGUF file are handed on.
    static let frequencyFactorsType = "frequency_factors"

    private func yarn(
        _ fields: ConfigFields, maxPositions: Int, isDeepseek: Bool
    ) throws(CheckpointError) -> YarnScaling {
        let range = 0.0...1e6
        let original = try originalMaxPositions() ?? maxPositions
        var yarn = YarnScaling(factor: try factor(), originalMaxPositions: original)
        yarn.betaFast = try fields.number("beta_fast", in: 1e-6...1e6) ?? yarn.betaFast
        yarn.betaSlow = try fields.number("beta_slow", in: 1e-6...1e6) ?? yarn.betaSlow
        yarn.extrapolationFactor = try fields.number("extrapolation_factor", in: range) ?? yarn.extrapolationFactor
        yarn.attentionFactor = try fields.number("attn_factor", in: range) ?? yarn.attentionFactor
        yarn.truncates = try fields.boolean("truncate") ?? yarn.truncates
        yarn.mscale = try fields.number("mscale", in: range)
        yarn.mscaleAllDimensions = try fields.number("mscale_all_dim", in: range)
        yarn.isDeepseek = isDeepseek
        return yarn
    }

    private func longRope(
        _ fields: ConfigFields, rotaryDimension: Int, maxPositions: Int
    ) throws(CheckpointError) -> LongRopeScaling {
        var long = LongRopeScaling(
            shortFactors: try factors(fields, "short_factor", count: rotaryDimension / 2),
            longFactors: try factors(fields, "long_factor", count: rotaryDimension / 2),
            originalMaxPositions: try originalMaxPositions() ?? maxPositions)
        long.shortMscale = try fields.number("short_mscale", in: 0...1e6)
        long.longMscale = try fields.number("long_mscale", in: 0...1e6)
        return long
    }

    private func factors(_ fields: ConfigFields, _ key: String, count: Int) throws(CheckpointError) -> [Double] {
        guard let factors = try fields.numbers(key, in: 1e-6...1e9) else { throw fields.error(key, "is absent") }
        guard factors.count == count else {
            throw fields.error(key, "has \(factors.count) entries instead of \(count)")
        }
        return factors
    }
}
