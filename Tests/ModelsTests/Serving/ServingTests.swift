import Models
import Scheduling
import Tensors
import Testing
import Values

/// Every architecture behind the engine that serves it. However requests share steps, and whatever is cut, cached, taken back
/// or computed again by the next worker, each is answered as if it were alone, bit for bit.
@Suite struct ServingTests {
    /// A model folder, and over how many ranks it runs.
    struct Case: Sendable, CustomTestStringConvertible {
        let fixture: Fixture
        let ranks: Int
        var quantization = Quantization.none
        var testDescription: String { "\(fixture.name), \(quantization.name), \(ranks)" }
    }

    /// All decoders, and all forms in which checkpoints are quantized.
    static let cases: [Case] = [1, 2].flatMap { ranks in
        Fixture.all.map { Case(fixture: $0, ranks: ranks) }
            + QuantizedModelTests.folders.map { Case(fixture: $0, ranks: ranks, quantization: .stored) }
            + ["llama-gguf", "gpt-oss"].map {
                Case(fixture: Fixture(name: $0), ranks: ranks, quantization: .stored)
            }
    }

    /// What a worker can hold that computes one request at a time, whole.
    private static let lone = SchedulerLimits(
        slots: 120, contextLength: 100, maxRunning: 1, chunkTokens: 100, cutsPrompts: false, logitRows: 101,
        usesPrefixCache: false)

    /// What one can hold that has room for all prompts, but not for their answers, and computes 16 tokens at a time.
    private static func crowded(window: Int?) -> SchedulerLimits {
        var limits = SchedulerLimits(
            slots: 215, contextLength: 100, maxRunning: 6, chunkTokens: 16, logitRows: 22, conservativeness: 0.05)
        limits.window = window.map { WindowLimits(positions: $0, beside: limits, ratio: 0.75) }
        return limits
    }

    @Test(arguments: cases) func everyRequestIsAnsweredAsIfAlone(_ run: Case) throws {
        let config = try ModelConfig.load(modelPath: run.fixture.path)
        let source = ModelSource(run.fixture.path, config: config, dtype: .bfloat16, quantization: run.quantization)
        let window = try ModelSizes(source).window
        let asked = Asked.all(vocabulary: config.vocabularySize)
        if let window { #expect(asked.contains { $0.prompt.count > window }, "a window smaller than a prompt") }
        var alone = ServingModel(try load(source, run.ranks, Self.lone), Self.lone)
        let expected = asked.map { alone.answers(to: [$0])[0] }
        #expect(alone.tally.retractions == 0 && alone.tally.cachedTokens == 0)
        #expect(expected.allSatisfy { $0.ids.count == Asked.newTokens })

        let limits = Self.crowded(window: window)
        var server = ServingModel(try load(source, run.ranks, limits), limits)
        #expect(server.answers(to: asked) == expected, "batched, in chunks")
        #expect(server.answers(to: asked, losing: .slots) == expected, "retracted")
        #expect(server.tally.retractions > 0)
        // A window's part of the cache is good for texts that go on from their ends.
        let further = zip(asked, expected).map { $0.continued(with: $1.ids) }
        let later = further.map { alone.answers(to: [$0])[0] }
        #expect(server.answers(to: further) == later, "over what is cached")
        #expect(server.tally.cachedTokens > 0)
        #expect(server.answers(to: asked, losing: .everything) == expected, "replayed from the ids so far")
        #expect(server.losses == 2 && server.slotError == nil)
    }

    private func load(_ source: ModelSource, _ ranks: Int, _ limits: SchedulerLimits) throws -> any LanguageModel {
        let steps = ForwardLimits(
            rows: limits.chunkTokens + limits.maxRunning, logitRows: 8, sequences: limits.maxRunning,
            slots: limits.storeRows, windowSlots: limits.windowStoreRows, positions: limits.contextLength)
        let isa = presentLevels.last ?? .scalar
        if ranks > 1 {
            return try RankGroup(
                source.path, size: ranks, dtype: source.dtype, quantization: source.quantization, isa: isa,
                limits: steps)
        }
        return try loadModel(LoadOptions(source, limits: steps, compute: Compute(isa: isa, threads: 1)))
    }
}
