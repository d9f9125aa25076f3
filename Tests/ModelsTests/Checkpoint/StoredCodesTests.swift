import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Values

/// Checkpoints that are quantized already keep their numbers.
@Suite struct StoredCodesTests {
    @Test(arguments: ["Q4_0", "Q4_1"], [true, false]) func codesOfGGUFFilesArePackedWithoutLoss(
        _ type: String, asBlocks: Bool
    ) throws {
        let folder = TemporaryFolder()
        let golden = try #require(DequantizeTests.Golden.all.first { $0.type == type })
        let width = golden.elements / 3
        try #require(width % 32 == 0)
        let binder = WeightBinder(try golden.open(in: folder, shape: [3, width]), ignoresHead: false)
        let tensor = try binder.bind("t", shape: [3, width])
        let columns = 32..<width
        let format = asBlocks ? WeightFormat.blocks(type == "Q4_0" ? .q4_0 : .q4_1) : .int4(group: 32)
        #expect(tensor.keepsCodes(in: format, columns: columns))
        #expect(!tensor.keepsCodes(in: .int4(group: 64), columns: columns))
        #expect(asBlocks || !tensor.keepsCodes(in: format, columns: 16..<width))
        let memory = try #require(
            AlignedBuffer(
                byteCount: PackedMatrix.byteCount(
                    outputs: 3, inputs: columns.count, dtype: .float32, format: format)))
        let matrix = PackedMatrix(
            data: memory.pointer, outputs: 3, inputs: columns.count, dtype: .float32, format: format)
        try tensor.packCodes(
            rows: 0..<3, columns: columns, scale: nil, target: 0, matrix: matrix, into: memory.pointer)
        for row in 0..<3 {
            var found = [Float](repeating: .nan, count: columns.count)
            matrix.unpackRow(row, into: &found)
            for group in stride(from: 0, to: columns.count, by: 32) {
                let first = row * width + columns.lowerBound + group
                let expected = Array(golden.values[first..<first + 32])
                // The goldens also have the largest half as a scale; eight times that is no half, of which int4 makes its minimums.
                let isBeyondHalf = !asBlocks && type == "Q4_0" && expected.contains { $0.magnitude > 65504 }
                #expect(isBeyondHalf || Array(found[group..<group + 32]) == expected, "row \(row), group \(group)")
            }
        }
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["SRT_TEST_SMOLLM2_GGUF"] != nil,
            "SRT_TEST_SMOLLM2_GGUF names no file"))
    func everyTensorOfSmolLM2ThatKeepsItsCodesIsPackedWithoutLoss() throws {
        let path = try #require(ProcessInfo.processInfo.environment["SRT_TEST_SMOLLM2_GGUF"])
        let checkpoint = try openCheckpoint(path, .gguf)
        let binder = WeightBinder(checkpoint, ignoresHead: true)
        let format = WeightFormat.int4(group: 32)
        var compared = 0
        for (name, info) in checkpoint.tensors where info.shape.count == 2 {
            let tensor = try binder.bind(name, shape: info.shape)
            let width = info.rowElements
            guard tensor.keepsCodes(in: format, columns: 0..<width) else { continue }
            let rows = 0..<min(64, info.rowCount)
            let size = PackedMatrix.byteCount(outputs: rows.count, inputs: width, dtype: .float32, format: format)
            let memory = try #require(AlignedBuffer(byteCount: size))
            let matrix = PackedMatrix(
                data: memory.pointer, outputs: rows.count, inputs: width, dtype: .float32, format: format)
            try tensor.packCodes(
                rows: rows, columns: 0..<width, scale: nil, target: 0, matrix: matrix, into: memory.pointer)
            var found = [Float](repeating: .nan, count: rows.count * width)
            found.withUnsafeMutableBufferPointer { buffer in
                for row in rows { matrix.unpackRow(row, into: buffer.baseAddress! + row * width) }
            }
            let expected = try read(checkpoint, name, rows: rows)
            #expect(zip(found, expected).map { abs($0 - $1) }.max() == 0, "\(name)")
            compared += 1
        }
        #expect(compared > 100)
    }

    @Test func anInt8CheckpointIsTheSameAsRoundingItHere() throws {
        let fixture = Fixture(name: "qwen3-untied")
        let folder = TemporaryFolder()
        let path = try folder.copy(
            fixture,
            replacing: [
                ("\"hidden_act\"", "\"quantization_config\": {\"quant_method\": \"w8a8_int8\"},\n \"hidden_act\"")
            ])
        try writeInt8Weights(of: fixture, to: path)
        let stored = logits(try loadForTest(path, dtype: .bfloat16))
        let rounded = logits(try loadForTest(fixture.path, dtype: .bfloat16, quantization: .w8a8Int8))
        #expect(differences(stored, rounded) == [])
        let error = checkpointError(naming: path) { _ = try loadForTest(path, quantization: .int4()) }
        #expect(error?.description.contains("int8 already") == true)
    }

    @Test func anInt8TensorWithoutScalesIsNamed() throws {
        let fixture = Fixture(name: "qwen3-untied")
        let folder = TemporaryFolder()
        let path = try folder.copy(fixture)
        try writeInt8Weights(of: fixture, to: path, scales: false)
        let error = checkpointError(naming: path) { _ = try loadForTest(path) }
        #expect(error?.description.contains("model.layers.0.mlp.down_proj.weight_scale") == true)
    }

    @Test(arguments: ["bitsandbytes", "modelopt", "quark"]) func otherMethodsAreRefusedByName(_ method: String) throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(
            Fixture(name: "llama-tied"),
            replacing: [
                ("\"hidden_act\"", "\"quantization_config\": {\"quant_method\": \"\(method)\"},\n \"hidden_act\"")
            ])
        let error = checkpointError(naming: path) { _ = try loadForTest(path) }
        #expect(error?.description.contains("`\(method)` is not supported") == true)
    }

    /// Replaces the weights of a copied fixture: matrices as int8 with a scale for each row, the rest as they are.
    private func writeInt8Weights(of fixture: Fixture, to path: String, scales: Bool = true) throws {
        let checkpoint = try openCheckpoint(fixture.path, .auto)
        var writer = SafetensorsWriter()
        for (name, info) in checkpoint.tensors.sorted(by: { $0.key < $1.key }) {
            let values = try read(checkpoint, name)
            guard info.shape.count == 2, name != "model.embed_tokens.weight" else {
                writer.add(name, info.shape, values)
                continue
            }
            var codes: [UInt8] = [], rowScales: [Float] = []
            for row in 0..<info.rowCount {
                let numbers = values[row * info.rowElements..<(row + 1) * info.rowElements]
                let largest = numbers.map(\.magnitude).max() ?? 0
                rowScales.append(largest / 127)
                codes += numbers.map { UInt8(bitPattern: Int8(($0 * (127 / largest)).rounded(.toNearestOrEven))) }
            }
            writer.add(name, "I8", info.shape, codes)
            if scales { writer.add(name + "_scale", [info.rowCount, 1], rowScales) }
        }
        try Data(writer.bytes).write(to: URL(fileURLWithPath: path + "/model.safetensors"))
    }

    private func logits(_ model: any LanguageModel) -> [[Float]] {
        let tokens: [Int32] = [5, 300, 17, 2, 81, 81, 30, 0]
        var run = ModelRun(model: model, tracks: [.init(tokens: tokens, slots: (0..<8).map { Int32(2 * $0) })])
        run.runAlone(0, prefill: 5)
        return run.tracks[0].logits
    }
}
