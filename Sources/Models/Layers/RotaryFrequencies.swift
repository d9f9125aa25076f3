#if canImport(Glibc)
    import Glibc
#endif

/// The angle per position of each pair of rotated elements, under every context extension a checkpoint may ask for.
package struct RotaryFrequencies: Equatable {
    /// Radians per position, slower with each pair; float32 because that is what models are trained with.
    package let inverse: [Float]
    /// Factor on cosines and sines; 1 but for YaRN and LongRoPE.
    package let magnitude: Double

    /// Computes the frequencies for so long a context; throws for a file's divisors that are not as many as the frequencies.
    package init(_ rope: RopeConfig, positions: Int, modelPath: String) throws(CheckpointError) {
        let size = rope.rotaryDimension
        var base = Self.plain(theta: rope.theta, size: size)
        var magnitude = 1.0
        switch rope.scaling {
        case .none:
            break
        case .linear(let factor):
            base = base.map { $0 / factor }
        case .dynamic(let factor):
            // SGLang's rule: the base is changed once, as if the context were `factor` times the trained one, for every
            // length.
            base = Self.plain(theta: Self.stretched(rope.theta, by: factor * factor - factor + 1, size), size: size)
        case .dynamicAlpha(let alpha):
            base = Self.plain(theta: Self.stretched(rope.theta, by: alpha, size), size: size)
        case .llama3(let factor, let low, let high, let original):
            base = base.map { Self.llama3($0, factor: factor, low: low, high: high, original: Double(original)) }
        case .yarn(let yarn):
            base = Self.yarn(base, yarn, theta: rope.theta, size: size)
            magnitude = Self.yarnMagnitude(yarn)
        case .longrope(let scaling):
            base = zip(base, scaling.factors(positions: positions)).map { $0 / $1 }
            magnitude = scaling.magnitude
        case .proportional(let rotated, let factor):
            base = base.enumerated().map { $0.offset < rotated ? $0.element / factor : 0 }
        case .frequencyFactors(let factors):
            guard factors.count == base.count else {
                throw .malformed(
                    file: modelPath, place: "rope_freqs.weight",
                    reason: "\(factors.count) factors for \(base.count) frequencies")
            }
            base = zip(base, factors).map { $0 / $1 }
        }
        inverse = base.map { Float($0) }
        self.magnitude = magnitude
    }

    /// theta^(−2j/d) for each pair j.
    private static func plain(theta: Double, size: Int) -> [Double] {
        (0..<size / 2).map { j in 1 / pow(theta, Double(2 * j) / Double(size)) }
    }

    /// NTK-aware scaling: a larger base that leaves the fastest pair alone and slows the slowest by `ratio`.
    private static func stretched(_ theta: Double, by ratio: Double, _ size: Int) -> Double {
        theta * pow(ratio, Double(size) / Double(size - 2))
    }

    /// Llama 3.1's rule: long wavelengths are slowed by `factor`, short ones kept, with a ramp between.
    private static func llama3(
        _ frequency: Double, factor: Double, low: Double, high: Double, original: Double
    ) -> Double {
        let wavelength = 2 * Double.pi / frequency
        if wavelength < original / high { return frequency }
        if wavelength > original / low { return frequency / factor }
        let share = low == high ? 0 : (original / wavelength - low) / (high - low)
        return (1 - share) * frequency / factor + share * frequency
    }

    /// YaRN (Peng et al. 2023, arXiv:2309.00071): pairs that turn often within the original context are kept, slow ones
    /// interpolated.
    private static func yarn(_ base: [Double], _ yarn: YarnScaling, theta: Double, size: Int) -> [Double] {
        let original = Double(yarn.originalMaxPositions)
        func dimension(ofTurns turns: Double) -> Double {
            Double(size) * log(original / (turns * 2 * Double.pi)) / (2 * log(theta))
        }
        var low = dimension(ofTurns: yarn.betaFast)
        var high = dimension(ofTurns: yarn.betaSlow)
        if yarn.truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        (low, high) = (max(low, 0), min(high, Double(size - 1)))
        if low == high { high += 0.001 }
        return base.enumerated().map { j, frequency in
            let ramp = min(max((Double(j) - low) / (high - low), 0), 1)
            let kept = (1 - ramp) * yarn.extrapolationFactor
            return frequency / yarn.factor * (1 - kept) + frequency * kept
        }
    }

    /// YaRN's temperature on attention, applied to cosines and sines of both queries and keys.
    private static func yarnMagnitude(_ yarn: YarnScaling) -> Double {
        if let magnitude = yarn.magnitude { return magnitude }
        func growth(_ scale: Double) -> Double { yarn.factor <= 1 ? 1 : 0.1 * scale * log(yarn.factor) + 1 }
        guard let mscale = yarn.mscale, let all = yarn.mscaleAllDimensions, mscale != 0, all != 0 else {
            return yarn.attentionFactor * growth(1)
        }
        return yarn.attentionFactor * growth(mscale) / growth(all)
    }
}
