import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Values

/// A running model's weights and cache may be replaced between two steps.
@Suite struct ExchangeTests {
    private static let fixture = Fixture(name: "qwen2-tied")

    private func source(_ path: String, quantization: Quantization = .none) throws -> ModelSource {
        ModelSource(
            path, config: try ModelConfig.load(modelPath: Self.fixture.path), dtype: .float32,
            quantization: quantization)
    }

    /// A copy of the fixture with other numbers in its last norm.
    private func changedCopy(in folder: TemporaryFolder) throws -> String {
        let path = try folder.copy(Self.fixture)
        let file = URL(fileURLWithPath: path + "/model.safetensors")
        var data = try Data(contentsOf: file)
        let count = data.count
        // Every tensor is bfloat16; sign bits of the last numbers of the file are flipped.
        for index in stride(from: count - 1, to: count - 400, by: -2) { data[index] ^= 0x80 }
        try data.write(to: file)
        return path
    }

    private func logits(_ model: any LanguageModel) -> [[Float]] {
        var run = ModelRun(model: model, tracks: [.init(tokens: [5, 300, 17, 2, 81], slots: [4, 3, 2, 1, 0])])
        run.runAlone(0, prefill: 4)
        return run.tracks[0].logits
    }

    @Test(arguments: [Quantization.none, .w8a8Int8, .int4()])
    func theModelGoesOnAsIfItHadBeenLoadedWithTheOtherWeights(_ quantization: Quantization) throws {
        let folder = TemporaryFolder()
        let changed = try changedCopy(in: folder)
        let model = try Self.fixture.load(quantization: quantization)
        let before = logits(model)
        let expected = logits(try loadForTest(changed, quantization: quantization))
        #expect(differences(before, expected) != [])
        let other = try prepareWeights(try source(changed, quantization: quantization), threads: 2)
        #expect(differences(logits(model), before) == [], "preparing changes nothing")
        try model.exchangeWeights(other)
        #expect(differences(logits(model), expected) == [])
        try model.exchangeWeights(
            try prepareWeights(try source(Self.fixture.path, quantization: quantization), threads: 1))
        #expect(differences(logits(model), before) == [], "and back")
    }

    @Test func weightsOfAnotherLayoutAreRefusedAndChangeNothing() throws {
        let model = try Self.fixture.load()
        let before = logits(model)
        let other = try prepareWeights(try source(Self.fixture.path, quantization: .w8a8Int8), threads: 1)
        _ = checkpointError(naming: "instead of") { try model.exchangeWeights(other) }
        #expect(differences(logits(model), before) == [])
        _ = checkpointError(naming: "model.embed_tokens.weight") {
            _ = try prepareWeights(try source(Fixture(name: "llama-tied").path), threads: 1)
        }
    }

    @Test func aCacheThatWasGivenBackComesAgainEmpty() throws {
        let model = try Self.fixture.load()
        let before = logits(model)
        model.releaseCache()
        try model.reserveCache()
        #expect(differences(logits(model), before) == [])
        // A step that reads a slot which nobody has written since sees zeros, as in a new model.
        func unwritten(_ model: any LanguageModel) -> [Float] {
            var input = ForwardInput()
            (input.tokens, input.positions, input.writeSlots, input.logitRows) = ([5], [1], [7], [0])
            input.slots = [3, 7]
            input.sequences = [.init(rowStart: 0, rowCount: 1, slotStart: 0, length: 2)]
            var logits = [Float](repeating: 0, count: model.config.vocabularySize)
            logits.withUnsafeMutableBufferPointer { model.forward(input, logits: $0.baseAddress!) }
            return logits
        }
        let written = unwritten(model)
        try model.reserveCache()
        let fresh = unwritten(try Self.fixture.load())
        #expect(differences([unwritten(model)], [fresh]) == [] && differences([written], [fresh]) != [])
    }

    @Test func aStepWithoutCacheTraps() async {
        await #expect(processExitsWith: .failure) {
            let model = try Fixture(name: "qwen2-tied").load()
            model.releaseCache()
            var run = ModelRun(model: model, tracks: [.init(tokens: [5], slots: [0])])
            run.step([(0, 1)])
        }
    }
}

/// Single tensors of a running model, by their names in the checkpoint.
@Suite struct WeightReadingTests {
    @Test(arguments: Fixture.all, [Quantization.none, .w8a8Int8, .int4()])
    func theNumbersAreTheCheckpointsOwn(_ fixture: Fixture, _ quantization: Quantization) throws {
        let model = try fixture.load(quantization: quantization)
        let checkpoint = try openCheckpoint(fixture.path, .auto)
        #expect(checkpoint.tensors.count > 10)
        for (name, tensor) in checkpoint.tensors {
            let found = try #require(try model.weight(named: name, rows: 3), "\(name)")
            let rows = min(3, tensor.rowCount)
            #expect(found.shape == [rows] + tensor.shape.dropFirst())
            #expect(found.values == (try read(checkpoint, name, rows: 0..<rows)), "\(name)")
        }
        #expect(try model.weight(named: "model.layers.0.self_attn.qkv.weight", rows: 3) == nil)
        #expect(try model.weight(named: "", rows: 3) == nil)
        #expect(try model.weight(named: "model.norm.weight", rows: 1 << 40)?.shape == [model.config.hiddenSize])
        #expect(try model.weight(named: "model.norm.weight", rows: 0)?.values == [])
    }

    @Test func aTiedHeadIsTheEmbedding() throws {
        let model = try Fixture(name: "llama-tied").load()
        let head = try #require(try model.weight(named: "lm_head.weight", rows: 5))
        #expect(try model.weight(named: "model.embed_tokens.weight", rows: 5) == head)
    }

    @Test func aRankReadsWholeTensors() throws {
        let fixture = Fixture(name: "qwen2-untied")
        let alone = try fixture.load()
        let group = try RankGroup(fixture.path, size: 2, dtype: .float32, isa: .avx512bf16, limits: testLimits)
        for name in ["model.layers.1.self_attn.o_proj.weight", "model.layers.0.mlp.up_proj.weight", "lm_head.weight"] {
            #expect(try group.weight(named: name, rows: 400) == alone.weight(named: name, rows: 400))
        }
    }

    @Test func aFileThatChangedSinceIsTold() throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "qwen2-tied"))
        let model = try loadForTest(path)
        #expect(try model.weight(named: "model.norm.weight", rows: 1) != nil)
        let bytes = fileBytes(path + "/model.safetensors")
        try FileManager.default.removeItem(atPath: path + "/model.safetensors")
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/model.safetensors"))
        _ = checkpointError(naming: "has changed") { _ = try model.weight(named: "model.norm.weight", rows: 1) }
    }

    @Test func inventedWeightsCanBeReadToo() throws {
        let model = try loadForTest(Fixture(name: "qwen2-tied").path, loadFormat: .dummy)
        let rows = try #require(try model.weight(named: "model.layers.0.mlp.down_proj.weight", rows: 2))
        #expect(rows.shape[0] == 2 && rows.values.allSatisfy { abs($0) <= 1e-3 } && Set(rows.values).count > 100)
    }
}
