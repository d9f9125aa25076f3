import Foundation
import JSON
import Models
import Tensors
import TestSupport
import Testing

/// Rotary frequencies and tables against transformers and against the formulas written out again.
@Suite struct RotaryFrequenciesTests {
    @Test(arguments: Fixture.all)
    func agreeWithTransformers(_ fixture: Fixture) throws {
        let golden = try fixture.golden()
        let expected = try #require(golden.ropeFrequencies)
        let config = try ModelConfig.load(modelPath: fixture.path)
        let found = try RotaryFrequencies(config.rope, positions: 512, modelPath: fixture.path)
        try #require(found.inverse.count == expected.count && expected.count == config.rope.rotaryDimension / 2)
        for (a, b) in zip(found.inverse, expected) { #expect((a - b).magnitude <= 2e-6 * b) }
        let magnitude = try #require(golden.ropeMagnitude)
        #expect((found.magnitude - magnitude).magnitude < 1e-6)
    }

    /// Every type with the numbers real checkpoints use, and the first position after its original context.
    static let cases: [(RopeConfig, original: Int, max: Int)] = [
        (rope(.none, theta: 10_000, 128), 2048, 4096),
        (rope(.linear(factor: 4), theta: 10_000, 128), 2048, 8192),
        (rope(.dynamic(factor: 2), theta: 10_000, 64), 2048, 4096),
        (rope(.dynamicAlpha(alpha: 1000), theta: 10_000, 128), 4096, 4096),
        (
            rope(
                .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192),
                theta: 500_000, 128
            ), 8192, 16384
        ),
        (rope(.yarn(yarn()), theta: 1_000_000, 128), 4096, 16384),
        (rope(.yarn(yarn(mscale: 0.707, all: 1.2, truncates: false)), theta: 10_000, 64), 4096, 16384),
        (rope(.longrope(longRope), theta: 10_000, 64), 1024, 4096),
        (rope(.longrope(longRope), theta: 10_000, 64), 128, 1024),
        (rope(.frequencyFactors((0..<32).map { 1 + Double($0) / 4 }), theta: 10_000, 64), 2048, 4096),
    ]

    /// Divisors for contexts up to 1024 positions and beyond.
    static let longRope = LongRopeScaling(
        short: (0..<32).map { 1 + Double($0) / 64 }, long: (0..<32).map { 1 + Double($0) / 2 },
        originalMaxPositions: 1024,
        magnitude: 1.1)

    @Test(arguments: cases.indices)
    func tablesFollowTheFormulaAtThePlacesThatMatter(_ index: Int) throws {
        let (rope, original, max) = Self.cases[index]
        let rotary = try RotaryEmbedding(rope, positions: max, modelPath: "model")
        let half = rope.rotaryDimension / 2
        for position in [0, 1, original - 1, min(original, max - 1), max - 1] {
            let table = rotary.table(covering: position + 1)
            #expect(table.rotaryDimension == rope.rotaryDimension)
            for j in 0..<half {
                let (frequency, magnitude) = Self.formula(rope, j, positions: max)
                let angle = Double(position) * frequency
                // The product of position and frequency is rounded to float32 twice.
                let tolerance = 2e-7 * (1 + angle)
                let cosine = Double(table.cosines![position * half + j])
                let sine = Double(table.sines![position * half + j])
                #expect((cosine - cos(angle) * magnitude).magnitude < tolerance)
                #expect((sine - sin(angle) * magnitude).magnitude < tolerance)
            }
        }
    }

    @Test func tablesStayWhatTheyWereWhenMorePositionsAreAsked() throws {
        let config = try ModelConfig.load(modelPath: Fixture(name: "qwen3-tied").path)
        let grown = try RotaryEmbedding(config.rope, positions: 5000, modelPath: "model")
        let direct = try RotaryEmbedding(config.rope, positions: 5000, modelPath: "model")
        for count in [1, 1024, 1025, 3000, 5000] { _ = grown.table(covering: count) }
        let (a, b) = (grown.table(covering: 5000), direct.table(covering: 5000))
        for index in 0..<5000 * config.headDimension / 2 {
            try #require(a.cosines![index] == b.cosines![index])
            try #require(a.sines![index] == b.sines![index])
        }
    }

    @Test func queriesGrowWithTheirPositionsByTheFormula() throws {
        var config = Self.rope(.none, theta: 10_000, 32)
        config.queryGrowth = QueryGrowth(beta: 0.1, period: 100)
        let rotary = try RotaryEmbedding(config, positions: 2000, modelPath: "model")
        let factors = try #require(rotary.table(covering: 2000).queryFactors)
        for position in [0, 1, 99, 100, 199, 200, 1024, 1999] {
            let expected = 1 + 0.1 * log(1 + floor(Double(position) / 100))
            #expect(abs(Double(factors[position]) - expected) < 1e-7, "position \(position)")
        }
    }

    @Test(arguments: ["axial", "deepseek_yarn"])
    func aTypeThatIsNotImplementedIsNamed(_ type: String) throws {
        let factors = "[" + Array(repeating: "1.5", count: 12).joined(separator: ",") + "]"
        let scaling = """
            {"rope_type": "\(type)", "factor": 4.0, "original_max_position_embeddings": 64,
            "short_factor": \(factors), "long_factor": \(factors)}
            """
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "llama-rope-linear"))
        let text = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
        let start = try #require(text.range(of: "\"rope_scaling\": "))
        let end = try #require(text.range(of: "}", range: start.upperBound..<text.endIndex))
        try text.replacingCharacters(in: start.upperBound..<end.upperBound, with: scaling)
            .write(toFile: path + "/config.json", atomically: true, encoding: .utf8)
        let error = checkpointError(naming: path) { _ = try ModelConfig.load(modelPath: path) }
        #expect(error?.description.contains("\(type); supported: default, linear") == true)
    }

    @Test func interleavedRotationIsRefused() {
        _ = checkpointError(naming: "rope_is_neox_style") {
            _ = try ModelConfigTests.load(["rope_is_neox_style": false])
        }
    }

    /// A fixture's RoPE with another rule.
    private static func rope(_ scaling: RopeScaling, theta: Double, _ size: Int) -> RopeConfig {
        var rope = fixtureRope("llama-tied")
        rope.theta = theta
        rope.scaling = scaling
        rope.rotaryDimension = size
        return rope
    }

    /// YaRN by 4 over 4096 positions.
    private static func yarn(mscale: Double? = nil, all: Double? = nil, truncates: Bool = true) -> YarnScaling {
        guard case .yarn(var yarn) = fixtureRope("llama-rope-yarn").scaling else {
            preconditionFailure("the fixture has YaRN")
        }
        yarn.factor = 4
        yarn.originalMaxPositions = 4096
        yarn.mscale = mscale
        yarn.mscaleAllDimensions = all
        yarn.truncates = truncates
        return yarn
    }

    private static func fixtureRope(_ name: String) -> RopeConfig {
        guard let config = try? ModelConfig.load(modelPath: Fixture(name: name).path) else {
            preconditionFailure("the fixture has a configuration")
        }
        return config.rope
    }

    /// The rule of each type for pair `j`, in double precision, independent of the code under test.
    private static func formula(
        _ rope: RopeConfig, _ j: Int, positions: Int
    ) -> (frequency: Double, magnitude: Double) {
        let d = Double(rope.rotaryDimension)
        func plain(_ theta: Double) -> Double { exp(-2 * Double(j) / d * log(theta)) }
        let f = plain(rope.theta)
        switch rope.scaling {
        case .none: return (f, 1)
        case .linear(let factor): return (f / factor, 1)
        case .dynamic(let factor): return (plain(rope.theta * pow(factor * factor - factor + 1, d / (d - 2))), 1)
        case .dynamicAlpha(let alpha): return (plain(rope.theta * pow(alpha, d / (d - 2))), 1)
        case .llama3(let factor, let low, let high, let original):
            let turns = Double(original) * f / (2 * .pi)
            if turns > high { return (f, 1) }
            if turns < low { return (f / factor, 1) }
            let s = (turns - low) / (high - low)
            return ((1 - s) * f / factor + s * f, 1)
        case .yarn(let y):
            func at(_ r: Double) -> Double {
                d * log(Double(y.originalMaxPositions) / (2 * .pi * r)) / (2 * log(rope.theta))
            }
            let low = max(0, y.truncates ? floor(at(32)) : at(32))
            let high = min(d - 1, y.truncates ? ceil(at(1)) : at(1))
            let keep = 1 - min(1, max(0, (Double(j) - low) / (high - low)))
            let magnitude = y.mscale.map { (0.1 * $0 * log(4) + 1) / (0.1 * y.mscaleAllDimensions! * log(4) + 1) }
            return (f * keep + f / y.factor * (1 - keep), magnitude ?? 0.1 * log(4) + 1)
        case .longrope: return (f / (positions > 1024 ? 1 + Double(j) / 2 : 1 + Double(j) / 64), 1.1)
        case .proportional(let rotated, let factor): return (j < rotated ? f / factor : 0, 1)
        case .frequencyFactors(let factors): return (f / factors[j], 1)
        }
    }
}
