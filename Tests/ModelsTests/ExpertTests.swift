import Models
import Tensors
import TestSupport
import Testing
import Values

/// Which experts models choose.
@Suite struct ExpertTests {
    static let fixtures = [
        "qwen2moe", "qwen3moe", "qwen2moe-gguf", "mixtral", "olmoe", "granitemoe", "glm4moe", "ernie45moe", "gpt-oss",
        "gpt-oss-plain",
        "gemma4-experts",
    ].map(Fixture.init)

    /// The experts of all positions of a text, layer by layer, computed in chunks.
    private func experts(_ model: any LanguageModel, _ tokens: [Int32], chunk: Int) throws -> [[Int32]] {
        let traits = try #require(model.experts)
        var found = [[Int32]](repeating: [], count: traits.layers)
        for start in stride(from: 0, to: tokens.count, by: chunk) {
            let end = min(tokens.count, start + chunk)
            var input = ForwardInput()
            input.tokens = Array(tokens[start..<end])
            input.positions = (start..<end).map(Int32.init)
            input.writeSlots = input.positions
            input.slots = (0..<end).map(Int32.init)
            input.sequences = [.init(rowStart: 0, rowCount: end - start, slotStart: 0, length: end)]
            input.logitRows = end == tokens.count ? [Int32(end - start - 1)] : []
            input.keepsEveryRow = true
            model.forward(input)
            for layer in 0..<traits.layers { found[layer] += model.chosenExperts(inLayer: layer) }
        }
        return found
    }

    @Test(arguments: fixtures, [1, 2])
    func everyLayerChoosesWhatTransformersChooses(_ fixture: Fixture, _ ranks: Int) throws {
        let model =
            ranks == 1
            ? try fixture.load()
            : try RankGroup(fixture.path, size: ranks, dtype: .float32, isa: .avx512bf16, limits: testLimits)
        for prompt in try fixture.golden().prompts {
            let expected = try #require(prompt.experts)
            let tokens = prompt.ids + prompt.outputIDs.dropLast()
            for chunk in [300, 7, 1] {
                let found = try experts(model, tokens, chunk: chunk)
                #expect(found == expected.map { $0 ?? [] }, "\(tokens.count) tokens in chunks of \(chunk)")
            }
        }
    }

    @Test(arguments: fixtures) func keepingEveryRowChangesNoBit(_ fixture: Fixture) throws {
        let model = try fixture.load(dtype: .bfloat16)
        let tokens = sequences(vocabulary: model.config.vocabularySize)[0]
        let size = model.config.vocabularySize
        var answers: [[Float]] = []
        for keeps in [false, true] {
            var input = ForwardInput()
            input.tokens = tokens
            input.positions = (0..<tokens.count).map(Int32.init)
            input.writeSlots = input.positions
            input.slots = input.positions
            input.sequences = [.init(rowStart: 0, rowCount: tokens.count, slotStart: 0, length: tokens.count)]
            input.logitRows = [Int32(tokens.count - 1)]
            input.keepsEveryRow = keeps
            var logits = [Float](repeating: .nan, count: size)
            model.forward(input, logits: &logits)
            answers.append(logits)
            let traits = try #require(model.experts)
            let last = model.chosenExperts(inLayer: traits.layers - 1)
            #expect(last.count == (keeps ? tokens.count * traits.each : 0))
        }
        #expect(differences([answers[0]], [answers[1]]) == [])
    }

    @Test func aDenseModelHasNoExperts() throws {
        let model = try Fixture(name: "qwen3-tied").load()
        #expect(model.experts == nil && model.chosenExperts(inLayer: 0).isEmpty)
    }

    @Test(arguments: [
        ("\"num_experts_per_tok\": 2", "\"num_experts_per_tok\": 7", "num_experts_per_tok"),
        ("\"num_experts\": 6", "\"num_experts\": -1", "num_experts"),
        ("\"moe_intermediate_size\": 40", "\"moe_intermediate_size\": null", "moe_intermediate_size"),
        ("\"mlp_only_layers\"", "\"decoder_sparse_step\": 0, \"mlp_only_layers\"", "decoder_sparse_step"),
        ("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "hidden_act"),
    ]) func aKeyThatCannotBeIsNamed(_ old: String, _ new: String, _ key: String) throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "qwen2moe"), replacing: [(old, new)])
        _ = checkpointError(naming: key) { _ = try ModelConfig.load(modelPath: path) }
    }

    @Test func aMissingExpertIsNamed() throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(
            Fixture(name: "qwen2moe"), replacing: [("\"num_experts\": 6", "\"num_experts\": 7")])
        _ = checkpointError(naming: "gate.weight") { _ = try loadForTest(path) }
    }
}
