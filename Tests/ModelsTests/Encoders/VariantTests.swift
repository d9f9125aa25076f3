import Models
import Tensors
import TestSupport
import Testing
import Values

/// Tiny models whose files for texts say something else: how rows are pooled, and whether the prompt before a text counts.
@Suite struct VariantTests {
    private static func texts(_ variant: Variant) -> [EncoderFixture.Text] {
        variant.texts.map {
            EncoderFixture.Text(text: $0.text, ids: $0.ids, types: $0.types, leading: $0.leading, answer: $0.answer)
        }
    }

    @Test(arguments: Variant.all) func agreesWithTheReferenceAloneAndInABatch(_ variant: Variant) throws {
        let folder = TemporaryFolder()
        let model = try loadEncoder(try variant.make(in: folder))
        let texts = Self.texts(variant)
        for (text, together) in zip(texts, model.answers(texts)) {
            #expect(model.answers([text])[0].map(\.bitPattern) == together.map(\.bitPattern))
            let off = distance(model.task.normalizes ? unit(together) : together, text.answer)
            #expect(off < (model.task.normalizes ? 1e-4 : 1e-3), "\(text.ids.count) tokens are off by \(off)")
        }
    }

    /// The reference's choice knows nothing of prompts.
    @Test(arguments: ["mean-without-prompt", "weighted-without-prompt", "max-without-prompt", "first-without-prompt"])
    func thePromptIsPassedOverWhereTheFilesCount(_ name: String) throws {
        let folder = TemporaryFolder()
        let path = try Variant.named(name).make(in: folder)
        let config = try ModelConfig.load(modelPath: path)
        #expect(try ModelTask.of(config, modelPath: path).passesOverPrompt)
        let reference = TaskSettings(rule: .sglang)
        #expect(try ModelTask.of(config, modelPath: path, settings: reference).passesOverPrompt == false)
        let model = try loadEncoder(path)
        let texts = Self.texts(Variant.named(name))
        let whole = texts.map { EncoderFixture.Text(text: $0.text, ids: $0.ids, types: nil, answer: $0.answer) }
        #expect(model.answers(whole) != model.answers(texts))
    }

    @Test func twoRanksPassOverThePromptToo() throws {
        let folder = TemporaryFolder()
        let variant = Variant.named("weighted-without-prompt")
        let path = try variant.make(in: folder)
        let limits = EncoderFixture.limits(try ModelConfig.load(modelPath: path))
        let model = try RankGroup(path, size: 2, dtype: .float32, isa: .avx512bf16, limits: limits)
        let texts = Self.texts(variant)
        for (text, answer) in zip(texts, model.answers(texts)) { #expect(distance(unit(answer), text.answer) < 1e-4) }
    }
}
