import Foundation
import JSON
import Models
import Tensors
import TestSupport
import Testing
import Values

/// Matrices as quantizers publish them, against the numbers they were made of (Tests/Fixtures/make_quantized.py).
@Suite struct QuantizedCheckpointTests {
    /// A format's matrices and what configuration names it.
    struct Format: CustomTestStringConvertible {
        let name: String
        let config: String
        let matrices: [String: WeightType]

        var testDescription: String { name }

        static let all = [
            Format(
                name: "gptq", config: #"{"quant_method": "gptq", "bits": 4, "group_size": 32}"#,
                matrices: [
                    "sym": .q4_0, "asym": .q5_0, "order": .q4_0, "two": .q4_0, "three": .q4_0, "eight": .q8_0,
                    "wild": .float32, "whole": .q4_0, "odd": .float32,
                ]),
            Format(
                name: "second", config: #"{"quant_method": "gptq", "bits": 4, "checkpoint_format": "gptq_v2"}"#,
                matrices: ["asym": .q5_0]),
            Format(
                name: "awq", config: #"{"quant_method": "awq", "bits": 4}"#, matrices: ["sym": .q4_0, "asym": .q5_0]),
            Format(
                name: "packed", config: #"{"quant_method": "compressed-tensors", "format": "pack-quantized"}"#,
                matrices: ["sym": .q4_0, "asym": .q5_0, "order": .q4_0, "eight": .q8_0, "bf16": .q4_0]),
            Format(
                name: "scaled", config: #"{"quant_method": "fp8", "weight_block_size": [128, 128]}"#,
                matrices: ["block": .scaledFloat8, "row": .scaledFloat8, "all": .scaledFloat8]),
        ]

        /// The fixture's file, read as a checkpoint of this format: matrices of the others stay what they are.
        func open(in folder: TemporaryFolder) throws -> any Checkpoint {
            let text = try String(contentsOfFile: Fixture.folder + "/llama-gptq/config.json", encoding: .utf8)
            let members = try #require(try JSON.parse(text).objectValue).filter { $0.0 != "quantization_config" }
            let all = members.map { ($0.0, $0.1) } + [("quantization_config", try JSON.parse(config))]
            folder.write("config.json", JSON.encode(.object(JSONObject(all))))
            let config = try ModelConfig.load(modelPath: folder.path)
            let stored = try #require(config.storedQuantization)
            let only = try folder.keepOnly(prefix: name + ".", of: Fixture.folder + "/quantized.safetensors")
            return try openCheckpoint(only, .auto, stored)
        }
    }

    @Test(arguments: Format.all) func aMatrixStandsForTheNumbersItWasMadeOf(_ format: Format) throws {
        let folder = TemporaryFolder()
        let checkpoint = try format.open(in: folder)
        let golden = try openCheckpoint(Fixture.folder + "/quantized.golden.safetensors", .auto)
        #expect(Set(checkpoint.tensors.keys) == Set(format.matrices.keys.map { "\(format.name).\($0).weight" }))
        for (matrix, type) in format.matrices {
            let name = "\(format.name).\(matrix).weight"
            let info = try #require(checkpoint.tensors[name])
            #expect(info.type == type, "\(name)")
            #expect(info.shape == golden.tensors[name]?.shape, "\(name)")
            let count = info.elementCount
            var (found, expected) = ([Float](repeating: .nan, count: count), [Float](repeating: 0, count: count))
            try checkpoint.readRows(name, rows: 0..<info.rowCount, into: &found)
            try golden.readRows(name, rows: 0..<info.rowCount, into: &expected)
            #expect(found == expected, "\(name)")
        }
    }

    @Test(arguments: Format.all) func blocksHoldTheSameNumbers(_ format: Format) throws {
        let folder = TemporaryFolder()
        let checkpoint = try format.open(in: folder)
        let binder = WeightBinder(checkpoint, ignoresHead: false)
        for (matrix, type) in format.matrices where type != .float32 {
            let name = "\(format.name).\(matrix).weight"
            let info = try #require(checkpoint.tensors[name])
            let (rows, width) = (info.rowCount, info.rowElements)
            let groups = [64, 128].filter { info.scaleGroup % $0 == 0 && width % $0 == 0 }
            let formats: [WeightFormat] =
                switch type {
                case .q4_0: [.int4(group: 32), .blocks(.q4_0)] + groups.map { .int4(group: $0) }
                case .scaledFloat8: [.float8(group: info.scaleGroup >= width ? 0 : 128), .float8(group: 32)]
                default: [try #require(type.blockKind.map { .blocks($0) })]
                }
            let tensor = try binder.bind(name, shape: info.shape)
            let expected = try tensor.read(0..<rows)
            for packed in formats {
                #expect(tensor.keepsCodes(in: packed, columns: 0..<width), "\(name) in \(packed)")
                let isOrdered = matrix == "order"
                let bytes = PackedMatrix.byteCount(
                    outputs: rows, inputs: width, dtype: .float32, format: packed, isOrdered: isOrdered)
                let memory = try #require(AlignedBuffer(byteCount: bytes))
                let target = PackedMatrix(
                    data: memory.pointer, outputs: rows, inputs: width, dtype: .float32, format: packed,
                    isOrdered: isOrdered)
                if isOrdered { target.pack(order: try #require(tensor.inputOrder), into: memory.pointer) }
                try tensor.packCodes(
                    rows: 0..<rows, columns: 0..<width, scale: nil, target: 0, matrix: target, into: memory.pointer)
                var found = [Float](repeating: .nan, count: rows * width)
                for row in 0..<rows {
                    found.withUnsafeMutableBufferPointer { target.unpackRow(row, into: $0.baseAddress! + row * width) }
                }
                #expect(found == expected, "\(name) in \(packed)")
            }
        }
    }

    @Test(arguments: [
        (#"{"quant_method": "bitsandbytes"}"#, "quant_method", "`bitsandbytes` is not supported; supported: awq"),
        (#"{"quant_method": "gptq", "bits": 5}"#, "bits", "GPTQ of 5 bits is not supported"),
        (#"{"quant_method": "gptq", "checkpoint_format": "marlin"}"#, "checkpoint_format", "`marlin` is not supported"),
        (#"{"quant_method": "awq", "version": "gemv"}"#, "version", "`gemv` is not supported"),
        (#"{"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized"}"#, "format", "is not supported"),
        (
            #"{"quant_method": "compressed-tensors", "sparsity_config": {"format": "sparse-24-bitmask"}}"#, "format",
            "`sparse-24-bitmask` is not supported"
        ),
    ]) func whatIsNotReadIsRefusedByItsKey(_ config: String, key: String, reason: String) throws {
        let folder = TemporaryFolder()
        let format = Format(name: "gptq", config: config, matrices: [:])
        let error = try #require(throws: CheckpointError.self) { _ = try format.open(in: folder) }
        #expect(error.description.contains("key `quantization_config."), "\(error)")
        #expect(error.description.contains(key) && error.description.contains(reason), "\(error)")
    }

    @Test func aMatrixWithoutAPartIsNamed() throws {
        let folder = TemporaryFolder()
        let format = Format.all[0]
        _ = try format.open(in: folder)
        let path = try folder.keepOnly(
            prefix: "gptq.sym.", except: "gptq.sym.scales", of: Fixture.folder + "/quantized.safetensors")
        let error = try #require(throws: CheckpointError.self) {
            _ = try openCheckpoint(path, .auto, .gptq(bits: 4, storesZerosLessOne: true))
        }
        #expect(error == .missingTensors(path: path, names: ["gptq.sym.scales"]))
    }
}

extension TemporaryFolder {
    /// Copies the tensors of a safetensors file whose names begin so into `model.safetensors`.
    func keepOnly(prefix: String, except: String? = nil, of file: String) throws -> String {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        let length = Int(
            data[0..<8].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) })
        let header = try #require(try JSON.parse(String(decoding: data[8..<8 + length], as: UTF8.self)).objectValue)
        var kept: [(String, JSONValue)] = []
        var bytes: [UInt8] = []
        for (name, entry) in header where name.hasPrefix(prefix) && name != except {
            let places = try #require(entry["data_offsets"]?.arrayValue).compactMap(\.intValue)
            let offsets: [JSONValue] = [.int(Int64(bytes.count)), .int(Int64(bytes.count + places[1] - places[0]))]
            kept.append(
                (
                    name,
                    [
                        "dtype": entry["dtype"] ?? .null, "shape": entry["shape"] ?? .null,
                        "data_offsets": .array(offsets),
                    ]
                ))
            bytes += data[8 + length + places[0]..<8 + length + places[1]]
        }
        let text = JSON.encode(.object(JSONObject(kept)))
        return write(
            "model.safetensors", withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + bytes)
    }
}
