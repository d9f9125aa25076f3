import Models
import Tensors
import Testing
import Values

/// Whole models of quantized checkpoints against transformers with the numbers they stand for.
@Suite struct QuantizedModelTests {
    static let folders = ["llama-gptq", "llama-awq", "llama-fp8"].map(Fixture.init)

    /// Rounding of activations costs what it costs with int8 and int4, 0.14 here; E4M3 runs as plain numbers and rounds nothing.
    @Test(arguments: folders, presentLevels) func staysNearTheNumbersItStandsFor(
        _ fixture: Fixture, _ isa: KernelISA
    ) throws {
        let model = try fixture.load(isa: isa)
        let golden = try fixture.golden()
        if fixture.name == "llama-fp8" {
            for prompt in golden.prompts { try compareWithGolden(model, prompt, tolerance: 1e-3) }
        }
        let error = try meanLogprobError(golden, model)
        #expect(error < 0.2, "mean error of \(error)")
    }

    @Test(arguments: folders) func aRankHoldsItsPart(_ fixture: Fixture) throws {
        let source = ModelSource(fixture.path, config: try ModelConfig.load(modelPath: fixture.path), dtype: .float32)
        let one = try ModelSizes(source).weightBytes
        let two = try ModelSizes(source, ranks: 2).weightBytes
        #expect(two >= one && two < 2 * one)
    }
}
