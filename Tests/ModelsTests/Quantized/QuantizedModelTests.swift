import Foundation
import JSON
import Models
import Tensors
import TestSupport
import Testing
import Values

/// Whole models of quantized checkpoints against transformers with the numbers they stand for.
@Suite struct QuantizedModelTests {
    static let folders = ["llama-gptq", "llama-gptq-order", "llama-awq", "llama-fp8"].map(Fixture.init)

    /// Rounding of activations costs what it costs with int8 and int4, 0.14 here; E4M3 is multiplied as plain numbers, whose products round nothing.
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

    /// E4M3 stays in its bytes and is rounded to the model's type inside of products, as if it had been unpacked to that type.
    @Test(arguments: [DType.float32, .float16, .bfloat16], presentLevels)
    func float8SaysWhatItsUnpackedNumbersSay(_ dtype: DType, _ isa: KernelISA) throws {
        let folder = TemporaryFolder()
        let plain = try unpacked(Fixture(name: "llama-fp8"), in: folder)
        let model = try Fixture(name: "llama-fp8").load(dtype: dtype, isa: isa)
        let reference = try loadForTest(plain, dtype: dtype, isa: isa)
        #expect(model.report.byteCount < reference.report.byteCount)
        let texts = sequences(vocabulary: model.config.vocabularySize)
        let expected = runBatched(reference, texts).flatMap { $0 }
        #expect(differences(runBatched(model, texts).flatMap { $0 }, expected) == [])
        #expect(differences(runAlone(model, texts).flatMap { $0 }, expected) == [])
    }

    /// A copy of a folder whose weights are the float32 numbers that the fixture's stand for.
    private func unpacked(_ fixture: Fixture, in folder: TemporaryFolder) throws -> String {
        let config = try ModelConfig.load(modelPath: fixture.path)
        let checkpoint = try openCheckpoint(fixture.path, .auto, config.storedQuantization)
        var entries: [(String, JSONValue)] = []
        var bytes: [UInt8] = []
        for (name, info) in checkpoint.tensors.sorted(by: { $0.key < $1.key }) {
            var numbers = [Float](repeating: 0, count: info.elementCount)
            try checkpoint.readRows(name, rows: 0..<info.rowCount, into: &numbers)
            let start = bytes.count
            bytes += numbers.withUnsafeBytes { Array($0) }
            entries.append(
                (
                    name,
                    [
                        "dtype": "F32", "shape": .array(info.shape.map { .int(Int64($0)) }),
                        "data_offsets": [.int(Int64(start)), .int(Int64(bytes.count))],
                    ]
                ))
        }
        let header = JSON.encode(.object(JSONObject(entries)))
        folder.write(
            "model.safetensors", withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + bytes)
        let text = try String(contentsOfFile: fixture.path + "/config.json", encoding: .utf8)
        let members = try #require(try JSON.parse(text).objectValue).filter { $0.0 != "quantization_config" }
        folder.write("config.json", JSON.encode(.object(JSONObject(members.map { ($0.0, $0.1) }))))
        return folder.path
    }

    @Test(arguments: folders) func aRankHoldsItsPart(_ fixture: Fixture) throws {
        let source = ModelSource(fixture.path, config: try ModelConfig.load(modelPath: fixture.path), dtype: .float32)
        let one = try ModelSizes(source).weightBytes
        let two = try ModelSizes(source, ranks: 2).weightBytes
        #expect(two >= one && two < 2 * one)
    }
}
