#if canImport(Glibc)
    import Glibc
#endif

/// The rope section of a configuration in either dialect: `rope_parameters`, or `rope_theta` beside `rope_scaling`.
struct RopeFields {
    private let top: ConfigFields
    private let scaling: ConfigFields?
    /// One line when the other dialect's section says something else and is passed over.
    let warning: String?

    /// Finds the section in the top level of a configuration: that of full attention, where kinds of layers have sections of
    /// their own, or of another kind of layer.
    init(_ top: ConfigFields, layers kind: String = "full_attention") throws(CheckpointError) {
        self.top = top
        guard let parameters = try top.object("rope_parameters") else {
            scaling = try top.object("rope_scaling")
            warning = nil
            return
        }
        let section = try parameters.object(kind) ?? parameters
        scaling = section
        let older = try? top.object("rope_scaling")
        let differs =
            older.map { older in older.keys.contains { section.has($0) && !section.agrees(with: older, $0) } } ?? false
        warning =
            differs
            ? "\(printable(top.file)): `rope_parameters` counts, and `rope_scaling`, which differs, is not read" : nil
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
        let isProportional = try type() == "proportional"
        let rotary = isProportional ? headDimension : Int(Double(headDimension) * partial + 1e-6)
        guard rotary >= 2, rotary % 2 == 0 else {
            throw top.error("partial_rotary_factor", "rotates \(rotary) numbers of a head of \(headDimension)")
        }
        guard try top.boolean("rope_is_neox_style") ?? true else {
            throw top.error("rope_is_neox_style", "only rotation of halves (true) is supported")
        }
        let scaling: RopeScaling =
            isProportional
            ? .proportional(rotated: Int(partial * Double(headDimension) / 2 + 1e-6), factor: try factor())
            : try self.scaling(rotaryDimension: rotary, maxPositions: maxPositions)
        var rope = RopeConfig(theta: theta, scaling: scaling, rotaryDimension: rotary)
        let beta = "llama_4_scaling_beta"
        if let beta = try holder(of: beta).number(beta, in: 0...1e3), beta > 0 {
            rope.queryGrowth = QueryGrowth(beta: beta, period: try originalMaxPositions() ?? maxPositions)
        }
        return rope
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
        case "yarn":
            return .yarn(try yarn(scaling, maxPositions: maxPositions))
        case RopeFields.frequencyFactorsType:
            return .frequencyFactors(try factors(scaling, "factors", count: rotaryDimension / 2))
        case "longrope", "su":
            return .longrope(try longrope(scaling, count: rotaryDimension / 2, maxPositions: maxPositions))
        default:
            throw scaling.error(
                "rope_type",
                "Unknown RoPE scaling type \(printable(kind)); supported: default, linear, dynamic, llama3, yarn, longrope, proportional"
            )
        }
    }

    /// LongRoPE; its magnitude grows with how much longer the context has become, unless it is stated.
    private func longrope(
        _ fields: ConfigFields, count: Int, maxPositions: Int
    ) throws(CheckpointError) -> LongRopeScaling {
        for key in ["short_mscale", "long_mscale"] { try fields.refuse(key) }
        let original = try originalMaxPositions() ?? maxPositions
        let scale = Double(maxPositions) / Double(original)
        let grown = scale <= 1 || original == 1 ? 1 : (1 + log(scale) / log(Double(original))).squareRoot()
        return LongRopeScaling(
            short: try factors(fields, "short_factor", count: count),
            long: try factors(fields, "long_factor", count: count), originalMaxPositions: original,
            magnitude: try fields.number("attention_factor", in: 1e-3...1e3) ?? grown)
    }

    /// The type under which the divisors of a GGUF file are handed on.
    static let frequencyFactorsType = "frequency_factors"

    private func yarn(_ fields: ConfigFields, maxPositions: Int) throws(CheckpointError) -> YarnScaling {
        let range = 0.0...1e6
        let original = try originalMaxPositions() ?? maxPositions
        var yarn = YarnScaling(factor: try factor(), originalMaxPositions: original)
        yarn.betaFast = try fields.number("beta_fast", in: 1e-6...1e6) ?? yarn.betaFast
        yarn.betaSlow = try fields.number("beta_slow", in: 1e-6...1e6) ?? yarn.betaSlow
        yarn.extrapolationFactor = try fields.number("extrapolation_factor", in: range) ?? yarn.extrapolationFactor
        yarn.attentionFactor = try fields.number("attn_factor", in: range) ?? yarn.attentionFactor
        yarn.magnitude = try fields.number("attention_factor", in: 1e-3...1e3)
        yarn.truncates = try holder(of: "truncate").boolean("truncate") ?? yarn.truncates
        yarn.mscale = try fields.number("mscale", in: range)
        yarn.mscaleAllDimensions = try fields.number("mscale_all_dim", in: range)
        return yarn
    }

    private func factors(_ fields: ConfigFields, _ key: String, count: Int) throws(CheckpointError) -> [Double] {
        guard let factors = try fields.numbers(key, in: 1e-6...1e31) else { throw fields.error(key, "is absent") }
        guard factors.count == count else {
            throw fields.error(key, "has \(factors.count) entries instead of \(count)")
        }
        return factors
    }
}
