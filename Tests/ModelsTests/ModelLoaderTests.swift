import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Values

/// What loading promises: exactly the model's tensors, errors that name the culprit, the same bits from the cache file.
@Suite struct ModelLoaderTests {
    private static let tied = Fixture(name: "llama-tied")

    @Test func aMissingTensorIsNamed() throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Self.tied)
        try rename("model.layers.1.mlp.up_proj.weight", to: "model.layers.1.mlp.up_proj.weighs", in: path)
        #expect(try errorOfLoading(path).contains("model.layers.1.mlp.up_proj.weight"))
    }

    @Test func aLayerTooFewIsNamedAsMissing() throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Self.tied, replacing: [("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")])
        let message = try errorOfLoading(path)
        #expect(message.contains("model.layers.2.input_layernorm.weight") && message.contains("missing"))
    }

    @Test(arguments: [
        ("\"intermediate_size\": 104", "\"intermediate_size\": 112", "mlp.gate_proj.weight"),
        ("\"vocab_size\": 331", "\"vocab_size\": 337", "model.embed_tokens.weight"),
        ("\"num_attention_heads\": 5", "\"num_attention_heads\": 5,\n \"head_dim\": 24", "self_attn.q_proj.weight"),
    ])
    func aWrongShapeIsNamedWithBothShapes(_ old: String, _ new: String, _ tensor: String) throws {
        let folder = TemporaryFolder()
        let message = try errorOfLoading(try folder.copy(Self.tied, replacing: [(old, new)]))
        #expect(message.contains(tensor) && message.contains("implies"))
    }

    @Test(arguments: [
        ("\"LlamaForCausalLM\"", "\"ParrotForCausalLM\"", "ParrotForCausalLM"),
        ("\"hidden_act\": \"silu\"", "\"hidden_act\": \"relu2\"", "hidden_act"),
        ("\"num_attention_heads\": 5", "\"num_attention_heads\": 5,\n \"head_dim\": 14", "head_dim"),
        ("\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"spiral\", \"factor\": 2.0}", "spiral"),
    ])
    func whatTheLayersCannotDoIsRefusedByName(_ old: String, _ new: String, _ named: String) throws {
        let folder = TemporaryFolder()
        #expect(try errorOfLoading(try folder.copy(Self.tied, replacing: [(old, new)])).contains(named))
    }

    @Test(arguments: [DType.float32, .bfloat16, .float16])
    func theCacheFileGivesTheSameBits(_ dtype: DType) throws {
        let folder = TemporaryFolder()
        for fixture in [Self.tied, Fixture(name: "llama-untied"), Fixture(name: "qwen2-untied")] {
            let memory = try loadForTest(fixture.path, dtype: dtype)
            let built = try loadForTest(fixture.path, dtype: dtype, cacheDirectory: folder.path)
            let mapped = try loadForTest(fixture.path, dtype: dtype, cacheDirectory: folder.path)
            #expect(memory.report.origin == .memory)
            #expect(built.report.origin == .built)
            #expect(mapped.report.origin == .mapped)
            let expected = logits(memory)
            #expect(differences(logits(built), expected) == [])
            #expect(differences(logits(mapped), expected) == [])
        }
    }

    @Test(arguments: [Quantization.w8a8Int8, .int4(), .int4(groupSize: 128, headBits: 4)])
    func theCacheFileOfAQuantizedModelGivesTheSameBits(_ quantization: Quantization) throws {
        let folder = TemporaryFolder()
        for fixture in [Self.tied, Fixture(name: "qwen2-untied"), Fixture(name: "llama-gguf")] {
            let plain = try loadForTest(fixture.path, dtype: .bfloat16, cacheDirectory: folder.path)
            let memory = try loadForTest(fixture.path, dtype: .bfloat16, quantization: quantization)
            let built = try loadForTest(
                fixture.path, dtype: .bfloat16, quantization: quantization, cacheDirectory: folder.path)
            let mapped = try loadForTest(
                fixture.path, dtype: .bfloat16, quantization: quantization, cacheDirectory: folder.path)
            #expect(built.report.origin == .built && mapped.report.origin == .mapped)
            #expect(mapped.report.byteCount < plain.report.byteCount)
            let expected = logits(memory)
            #expect(differences(logits(built), expected) == [])
            #expect(differences(logits(mapped), expected) == [])
        }
    }

    @Test func progressRisesToOne() throws {
        for fixture in Fixture.all {
            var seen: [Double] = []
            _ = try loadForTest(fixture.path) { seen.append($0) }
            #expect(seen.last == 1 && seen == seen.sorted() && seen.allSatisfy { (0...1).contains($0) })
        }
    }

    @Test func dummyWeightsNeedOnlyAConfiguration() throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "qwen3-untied"))
        try FileManager.default.removeItem(atPath: path + "/model.safetensors")
        let first = logits(try loadForTest(path, dtype: .bfloat16, loadFormat: .dummy))
        let second = logits(try loadForTest(path, dtype: .bfloat16, threads: 1, loadFormat: .dummy))
        #expect(differences(first, second) == [])
        #expect(first.allSatisfy { $0.allSatisfy(\.isFinite) && Set($0).count > 100 })
    }

    @Test func stepsBeyondTheLimitsTrap() async {
        await #expect(processExitsWith: .failure) {
            let model = try Fixture(name: "llama-tied").load()
            var run = ModelRun(model: model, tracks: [.init(tokens: [331], slots: [0])])
            run.step([(0, 1)])
        }
        await #expect(processExitsWith: .failure) {
            let model = try Fixture(name: "llama-tied").load()
            var run = ModelRun(model: model, tracks: [.init(tokens: [5], slots: [4096])])
            run.step([(0, 1)])
        }
        await #expect(processExitsWith: .success) {
            let model = try Fixture(name: "llama-tied").load()
            var run = ModelRun(model: model, tracks: [.init(tokens: [330], slots: [4095])])
            run.step([(0, 1)])
        }
    }

    private func logits(_ model: any LanguageModel) -> [[Float]] {
        let tokens: [Int32] = [5, 300, 17, 2, 81, 81, 330, 0]
        var run = ModelRun(model: model, tracks: [.init(tokens: tokens, slots: (0..<8).map { Int32(2 * $0) })])
        run.runAlone(0, prefill: 5)
        return run.tracks[0].logits
    }

    private func errorOfLoading(_ path: String) throws -> String {
        do {
            _ = try loadForTest(path)
        } catch let error as CheckpointError {
            return error.description
        }
        Issue.record("loading \(path) did not throw")
        return ""
    }

    /// Changes a tensor's name in the header, to one of the same length.
    private func rename(_ old: String, to new: String, in folder: String) throws {
        let url = URL(fileURLWithPath: folder + "/model.safetensors")
        var data = try Data(contentsOf: url)
        let place = try #require(data.range(of: Data("\"\(old)\"".utf8)))
        data.replaceSubrange(place, with: Data("\"\(new)\"".utf8))
        try data.write(to: url)
    }
}
