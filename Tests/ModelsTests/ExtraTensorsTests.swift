import Foundation
import JSON
import Models
import Tensors
import TestSupport
import Testing
import Values

/// A checkpoint may carry more than its model needs; what the model needs must be there.
@Suite struct ExtraTensorsTests {
    private static let fixture = Fixture(name: "qwen2-untied")

    /// Loads a folder; strictly or not.
    private func load(_ path: String, overrides: JSONValue = [:], isStrict: Bool = false) throws -> any LanguageModel {
        let config = try ModelConfig.load(modelPath: path, overrides: overrides)
        return try loadModel(
            LoadOptions(
                ModelSource(path, config: config, dtype: .float32, isStrict: isStrict), limits: testLimits,
                compute: Compute(isa: .avx512bf16, threads: 1)))
    }

    /// A copy of the fixture whose weights have this tensor too.
    private func copy(into folder: TemporaryFolder, adding name: String, dtype: String = "F32") throws -> String {
        let path = try folder.copy(Self.fixture)
        let file = path + "/model.safetensors"
        let old = fileBytes(file)
        let length = Int(old[..<8].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) })
        let data = old.count - 8 - length
        var header = String(decoding: old[8..<8 + length], as: UTF8.self)
        while header.last == " " { header.removeLast() }
        header.removeLast()
        header += ",\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":[2],\"data_offsets\":[\(data),\(data + 8)]}}"
        let bytes = SafetensorsWriter.file(
            header: header, data: Array(old[(8 + length)...]) + [0, 0, 0, 0, 0, 0, 0, 0])
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return path
    }

    @Test(arguments: [
        "v_head.summary.weight", "score.weight", "model.layers.7.mlp.gate_proj.weight",
        "model.layers.0.self_attn.k_proj.k_scale", "model.layers.0.self_attn.o_proj.bias", "visual.patch_embed.weight",
    ])
    func aTensorThatTheModelDoesNotUseIsToldOfInOneLine(_ name: String) throws {
        let folder = TemporaryFolder()
        let path = try copy(into: folder, adding: name)
        let model = try load(path)
        #expect(model.report.warnings.count == 1 && isOneLine(model.report.warnings[0]))
        #expect(model.report.warnings[0].contains("1 tensor(s) unknown to the model: \(name); not used"))
        #expect(differences(logits(model), logits(try load(Self.fixture.path))) == [])
        let error = checkpointError(naming: name) { _ = try load(path, isStrict: true) }
        #expect(error == .leftOverTensors(path: path, names: [name]))
    }

    @Test func aTypeThatIsNotReadMattersOnlyWhereItIsNeeded() throws {
        let folder = TemporaryFolder()
        #expect(try load(copy(into: folder, adding: "extra.scale", dtype: "F8_E8M0")).report.warnings == [])
        let path = folder.path + "/" + Self.fixture.name + "/model.safetensors"
        var bytes = fileBytes(path)
        let entry = Array("\"model.norm.weight\":{\"dtype\":\"BF16\"".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: entry) })
        bytes.replaceSubrange(
            place..<place + entry.count, with: Array("\"model.norm.weight\":{\"dtype\":\"U16X\"".utf8))
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let error = checkpointError(naming: "model.norm.weight") {
            _ = try load(folder.path + "/" + Self.fixture.name)
        }
        #expect(error?.description.contains("dtype `U16X` is not readable") == true)
    }

    @Test func fewerLayersThanAreStoredAreAWarning() throws {
        let model = try load(Self.fixture.path, overrides: ["num_hidden_layers": 1])
        let warning = try #require(model.report.warnings.first)
        #expect(warning.contains("model.layers.1.self_attn.q_proj.weight") && !warning.contains("model.layers.0."))
        _ = checkpointError(naming: "model.layers.1.") {
            _ = try load(Self.fixture.path, overrides: ["num_hidden_layers": 1], isStrict: true)
        }
    }

    /// A GGUF file is made for the model it names, so a tensor too many is a sign that it is another one.
    @Test func aGGUFFileHasNothingTooMany() throws {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        // One head of 8, since the kernels have none of 4.
        writer.fields.removeAll { $0.key == "llama.attention.head_count" }
        writer.set("llama.attention.head_count", .uint32(1))
        for layer in 0..<2 {
            for name in ["blk.\(layer).attn_k.weight", "blk.\(layer).attn_v.weight"] {
                writer.tensors.removeAll { $0.name == name }
                writer.add(name, [8, 8], [Float](repeating: 0, count: 64))
            }
        }
        func load(_ name: String) throws {
            let file = folder.write(name, writer.bytes)
            let config = try ModelConfig.load(modelPath: file)
            _ = try ModelSizes(ModelSource(file, config: config, dtype: .float32))
        }
        try load("m.gguf")
        writer.add("blk.0.extra.weight", [8], [Float](repeating: 0, count: 8))
        _ = checkpointError(naming: "blk.0.extra.weight") { try load("more.gguf") }
    }

    private func logits(_ model: any LanguageModel) -> [[Float]] {
        var run = ModelRun(model: model, tracks: [.init(tokens: [5, 300, 17, 2], slots: [3, 2, 1, 0])])
        run.runAlone(0, prefill: 4)
        return run.tracks[0].logits
    }
}
