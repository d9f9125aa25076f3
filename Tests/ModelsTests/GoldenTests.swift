import Foundation
import Models
import Tensors
import Testing
import Values

/// Every tiny model against transformers in float32.
@Suite struct GoldenTests {
    @Test(arguments: Fixture.all, presentLevels)
    func agreesWithTransformersInFloat32(_ fixture: Fixture, _ isa: KernelISA) throws {
        let golden = try fixture.golden()
        let model = try fixture.load(isa: isa)
        #expect(model.config.architecture == golden.architecture)
        #expect(golden.prompts.map(\.ids.count) == [1, 5, 17, 70, 200])
        for prompt in golden.prompts { try compareWithGolden(model, prompt, tolerance: 1e-3) }
    }

    @Test(arguments: Fixture.atLevels) func halfPrecisionStaysNearFloat32(_ run: Fixture.AtLevel) throws {
        let (fixture, isa) = (run.fixture, run.isa)
        let golden = try fixture.golden()
        for (dtype, bound) in [(DType.float16, 0.02), (.bfloat16, 0.15)] {
            let error = try meanLogprobError(golden, try fixture.load(dtype: dtype, isa: isa))
            #expect(error < bound, "mean error of \(error) in \(dtype)")
        }
    }

    /// The fixtures' random weights punish rounding more than trained ones: int8 costs 0.02 to 0.2, int4 0.3 to 1.6. Where
    /// rounding makes a token take another expert it costs more.
    @Test(arguments: Fixture.atLevels) func quantizedWeightsStayNearFloat32(_ run: Fixture.AtLevel) throws {
        let (fixture, isa) = (run.fixture, run.isa)
        let golden = try fixture.golden()
        let hasExperts = ExpertTests.fixtures.contains { $0.name == fixture.name }
        let cases: [(Quantization, Double)] = [
            (.w8a8Int8, hasExperts ? 0.5 : 0.3), (.int4(groupSize: 32), 2), (.int4(), 2),
        ]
        for (quantization, bound) in cases {
            let error = try meanLogprobError(golden, try fixture.load(quantization: quantization, isa: isa))
            #expect(error < bound, "mean error of \(error) in \(quantization.name)")
        }
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["SRT_TEST_SMOLLM2_GGUF"] != nil,
            "SRT_TEST_SMOLLM2_GGUF names no file"))
    func quantizedSmolLM2StaysNearFloat32() throws {
        let path = try #require(ProcessInfo.processInfo.environment["SRT_TEST_SMOLLM2_GGUF"])
        let golden = try Golden(contentsOf: Fixture.folder + "/smollm2.golden.json")
        // The file's own int4 codes are kept, so int4 adds the rounding of activations, by group; int8 rounds them by row.
        for (quantization, bound) in [(Quantization.w8a8Int8, 0.35), (.int4(), 0.18)] {
            let model = try loadForTest(path, quantization: quantization)
            let error = try meanLogprobError(golden, model, count: nil)
            #expect(error < bound, "mean error of \(error) in \(quantization.name)")
        }
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["SRT_TEST_SMOLLM2_GGUF"] != nil,
            "SRT_TEST_SMOLLM2_GGUF names no file"))
    func smolLM2AgreesWithTransformersInFloat32() throws {
        let path = try #require(ProcessInfo.processInfo.environment["SRT_TEST_SMOLLM2_GGUF"])
        let golden = try Golden(contentsOf: Fixture.folder + "/smollm2.golden.json")
        let model = try loadForTest(path, logitRows: 8)
        for prompt in golden.prompts { try compareWithGolden(model, prompt, tolerance: 2e-3) }
    }
}

/// Runs prompt and golden output (teacher-forced, so that a near tie does not end the comparison) and compares every
/// step.
func compareWithGolden(_ model: any LanguageModel, _ prompt: Golden.Prompt, tolerance: Double) throws {
    let tokens = prompt.ids + prompt.outputIDs
    let slots = (0..<tokens.count).map { Int32(tokens.count - $0) }
    var run = ModelRun(model: model, tracks: [.init(tokens: tokens, slots: slots)])
    run.runAlone(0, prefill: prompt.ids.count, chunk: model.limits.logitRows)
    let scores = run.tracks[0].logits.map(logSoftmax)

    try #require(prompt.inputLogprobs.count == prompt.ids.count && prompt.inputLogprobs[0] == nil)
    for position in 1..<max(1, prompt.ids.count) {
        let expected = Double(try #require(prompt.inputLogprobs[position]))
        let found = scores[position - 1][Int(tokens[position])]
        #expect(abs(found - expected) < tolerance, "input logprob at \(position)")
    }
    try #require(prompt.outputIDs.count == 32 && prompt.margins.count == 32 && prompt.top.count == 32)
    for index in 0..<prompt.outputIDs.count {
        let row = prompt.ids.count + index - 1
        let id = Int(prompt.outputIDs[index])
        if prompt.margins[index] > 1e-3 {
            let best = scores[row].indices.max { scores[row][$0] < scores[row][$1] }
            #expect(best == id, "greedy id \(index) of a prompt of \(prompt.ids.count) tokens")
        }
        #expect(abs(scores[row][id] - Double(prompt.outputLogprobs[index])) < tolerance, "output logprob \(index)")
        for pair in prompt.top[index] {
            #expect(abs(scores[row][Int(pair[1])] - Double(pair[0])) < tolerance, "top logprob \(index)")
        }
    }
}

/// Mean difference of the logprobs of all prompt tokens, `count` of them.
func meanLogprobError(_ golden: Golden, _ model: any LanguageModel, count: Int? = 288) throws -> Double {
    var errors: [Double] = []
    for prompt in golden.prompts where prompt.ids.count > 1 {
        let slots = (0..<prompt.ids.count).map(Int32.init)
        var run = ModelRun(model: model, tracks: [.init(tokens: prompt.ids, slots: slots)])
        run.runAlone(0, prefill: prompt.ids.count)
        for position in 1..<prompt.ids.count {
            let expected = Double(try #require(prompt.inputLogprobs[position]))
            let found = logSoftmax(run.tracks[0].logits[position - 1])[Int(prompt.ids[position])]
            errors.append((found - expected).magnitude)
        }
    }
    #expect(!errors.isEmpty && errors.count == count ?? errors.count)
    return errors.reduce(0, +) / Double(errors.count)
}
