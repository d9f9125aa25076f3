import Models
import Tensors
import Testing
import Values

/// A model over several ranks says what the whole model says.
@Suite struct TensorParallelTests {
    @Test(arguments: Fixture.all, [2, 3])
    func ranksAgreeWithTransformersInFloat32(_ fixture: Fixture, _ size: Int) throws {
        // Two query heads cannot be shared by three ranks; what happens then is tested below.
        if ["llama-rope-linear", "gemma2"].contains(fixture.name), size == 3 { return }
        let model = try RankGroup(
            fixture.path, size: size, dtype: .float32, isa: .avx512bf16, limits: testLimits)
        for prompt in try fixture.golden().prompts { try compareWithGolden(model, prompt, tolerance: 1e-3) }
    }

    @Test(
        arguments: ["llama-untied", "qwen2-tied", "qwen3-untied", "qwen2moe", "qwen3moe"],
        [DType.float32, .bfloat16, .float16])
    func everyWayOfRunningRanksGivesTheSameBits(_ name: String, _ dtype: DType) throws {
        let fixture = Fixture(name: name)
        for isa in presentLevels {
            let model = try RankGroup(fixture.path, size: 2, dtype: dtype, isa: isa, limits: testLimits)
            let texts = sequences(vocabulary: model.config.vocabularySize)
            let alone = runAlone(model, texts)
            #expect(differences(runBatched(model, texts).flatMap { $0 }, alone.flatMap { $0 }) == [], "batched")
            #expect(differences(runChunked(model, texts[0]), alone[0]) == [], "chunks of 7")
            #expect(
                differences(runOverCachedPrefix(model, texts[0], shared: 64), Array(alone[0][64...])) == [], "cached")
        }
    }

    @Test func rowsBeyondASlotAreExchangedInTurns() throws {
        var limits = testLimits
        // Fewer rows and logits than a slot for all of them would take.
        limits.logitRows = 16
        let path = Fixture(name: "llama-untied").path
        let model = try RankGroup(path, size: 2, dtype: .float32, isa: .avx512bf16, limits: limits)
        let tokens = (0..<290).map { Int32($0 * 7 % 331) }
        let slots = (0..<290).map(Int32.init)
        var input = ForwardInput()
        input.tokens = tokens
        (input.positions, input.slots, input.writeSlots) = (slots, slots, slots)
        input.sequences = [.init(rowStart: 0, rowCount: 290, slotStart: 0, length: 290)]
        input.logitRows = Array(274..<290)
        var last = [Float](repeating: 0, count: 16 * 331)
        model.forward(input, logits: &last)
        var run = ModelRun(model: model, tracks: [.init(tokens: tokens, slots: slots.map { $0 + 500 })])
        run.runAlone(0, prefill: 290, chunk: 16)
        for row in 0..<16 {
            #expect(differences([Array(last[row * 331..<(row + 1) * 331])], [run.tracks[0].logits[274 + row]]) == [])
        }
    }

    @Test func moreRanksThanHeadsIsNamed() throws {
        let path = Fixture(name: "llama-rope-linear").path
        #expect {
            _ = try RankGroup(path, size: 3, dtype: .float32, isa: .avx512bf16, limits: testLimits)
        } throws: { "\($0)".contains("num_attention_heads") }
    }
}
