import Foundation
import TestSupport

/// The bytes of a file.
func fileBytes(_ path: String) -> [UInt8] {
    Array(FileManager.default.contents(atPath: path)!)
}

/// Little-endian bytes.
func littleEndian<T>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
}

/// Little-endian bytes of many values.
func littleEndian<T>(all values: [T]) -> [UInt8] {
    values.flatMap { littleEndian($0) }
}

/// Builds safetensors files.
struct SafetensorsWriter {
    var entries: [String] = []
    var data: [UInt8] = []

    mutating func add(_ name: String, _ dtype: String, _ shape: [Int], _ bytes: [UInt8]) {
        let end = data.count + bytes.count
        entries.append(
            "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":[\(data.count),\(end)]}")
        data += bytes
    }

    mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
        add(name, "F32", shape, littleEndian(all: values))
    }

    var bytes: [UInt8] { SafetensorsWriter.file(header: "{" + entries.joined(separator: ",") + "}", data: data) }

    /// A file with any header.
    static func file(header: String, data: [UInt8]) -> [UInt8] {
        littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
    }
}

/// A GGUF metadata value as its bytes: type number and payload.
struct GGUFField {
    var type: UInt32
    var payload: [UInt8]

    static func uint8(_ v: UInt8) -> GGUFField { GGUFField(type: 0, payload: [v]) }
    static func int8(_ v: Int8) -> GGUFField { GGUFField(type: 1, payload: littleEndian(v)) }
    static func uint16(_ v: UInt16) -> GGUFField { GGUFField(type: 2, payload: littleEndian(v)) }
    static func int16(_ v: Int16) -> GGUFField { GGUFField(type: 3, payload: littleEndian(v)) }
    static func uint32(_ v: UInt32) -> GGUFField { GGUFField(type: 4, payload: littleEndian(v)) }
    static func int32(_ v: Int32) -> GGUFField { GGUFField(type: 5, payload: littleEndian(v)) }
    static func float32(_ v: Float) -> GGUFField { GGUFField(type: 6, payload: littleEndian(v)) }
    static func bool(_ v: Bool) -> GGUFField { GGUFField(type: 7, payload: [v ? 1 : 0]) }
    static func string(_ v: String) -> GGUFField { GGUFField(type: 8, payload: text(v)) }
    static func uint64(_ v: UInt64) -> GGUFField { GGUFField(type: 10, payload: littleEndian(v)) }
    static func int64(_ v: Int64) -> GGUFField { GGUFField(type: 11, payload: littleEndian(v)) }
    static func float64(_ v: Double) -> GGUFField { GGUFField(type: 12, payload: littleEndian(v)) }

    /// An array of elements of one type.
    static func array(_ elements: [GGUFField], type: UInt32) -> GGUFField {
        GGUFField(
            type: 9, payload: littleEndian(type) + littleEndian(UInt64(elements.count)) + elements.flatMap(\.payload))
    }

    static func strings(_ values: [String]) -> GGUFField { array(values.map { string($0) }, type: 8) }

    static func text(_ v: String) -> [UInt8] { littleEndian(UInt64(v.utf8.count)) + Array(v.utf8) }
}

/// Builds GGUF files.
struct GGUFWriter {
    struct Tensor {
        var name: String
        var shape: [Int]
        var type: UInt32
        var data: [UInt8]
        /// Written instead of the true offset.
        var offset: UInt64?
    }

    var version: UInt32 = 3
    var fields: [(key: String, value: GGUFField)] = []
    var tensors: [Tensor] = []
    var alignment = 32

    mutating func set(_ key: String, _ value: GGUFField) { fields.append((key, value)) }

    mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
        tensors.append(Tensor(name: name, shape: shape, type: 0, data: littleEndian(all: values)))
    }

    var bytes: [UInt8] {
        var table: [UInt8] = []
        var data: [UInt8] = []
        for tensor in tensors {
            data += padding(data.count)
            table += GGUFField.text(tensor.name) + littleEndian(UInt32(tensor.shape.count))
            for dimension in tensor.shape.reversed() { table += littleEndian(UInt64(bitPattern: Int64(dimension))) }
            table += littleEndian(tensor.type) + littleEndian(tensor.offset ?? UInt64(data.count))
            data += tensor.data
        }
        var file = Array("GGUF".utf8) + littleEndian(version)
        file += littleEndian(UInt64(tensors.count)) + littleEndian(UInt64(fields.count))
        for field in fields {
            file += GGUFField.text(field.key) + littleEndian(field.value.type) + field.value.payload
        }
        file += table
        return file + padding(file.count) + data
    }

    private func padding(_ count: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: (alignment - count % alignment) % alignment)
    }

    /// A small but complete llama: 2 layers, hidden 8, 2 heads of 4, 1 key-value head, intermediate 12, 6 tokens.
    static func llama(architecture: String = "llama", tied: Bool = false) -> GGUFWriter {
        var writer = GGUFWriter()
        writer.set("general.architecture", .string(architecture))
        for (key, value) in [
            ("block_count", 2), ("context_length", 64), ("embedding_length", 8), ("feed_forward_length", 12),
            ("attention.head_count", 2), ("attention.head_count_kv", 1), ("rope.dimension_count", 4),
        ] {
            writer.set("\(architecture).\(key)", .uint32(UInt32(value)))
        }
        writer.set("\(architecture).attention.layer_norm_rms_epsilon", .float32(1e-5))
        writer.set("\(architecture).rope.freq_base", .float32(50_000))
        writer.set("tokenizer.ggml.model", .string("gpt2"))
        writer.set("tokenizer.ggml.pre", .string("smollm"))
        writer.set("tokenizer.ggml.tokens", .strings(["<s>", "</s>", "a", "b", "ab", "Ġa"]))
        writer.set("tokenizer.ggml.token_type", .array([3, 3, 1, 1, 1, 1].map { .int32($0) }, type: 5))
        writer.set("tokenizer.ggml.merges", .strings(["a b", "Ġ a"]))
        writer.set("tokenizer.ggml.bos_token_id", .uint32(0))
        writer.set("tokenizer.ggml.eos_token_id", .uint32(1))
        writer.set("tokenizer.ggml.add_bos_token", .bool(false))
        var next: Float = 0
        func numbers(_ count: Int) -> [Float] {
            (0..<count).map { _ in
                next += 1
                return next
            }
        }
        writer.add("token_embd.weight", [6, 8], numbers(48))
        writer.add("output_norm.weight", [8], numbers(8))
        if !tied { writer.add("output.weight", [6, 8], numbers(48)) }
        for layer in 0..<2 {
            for (name, shape) in [
                ("attn_norm", [8]), ("attn_q", [8, 8]), ("attn_k", [4, 8]), ("attn_v", [4, 8]),
                ("attn_output", [8, 8]),
                ("ffn_norm", [8]), ("ffn_gate", [12, 8]), ("ffn_up", [12, 8]), ("ffn_down", [8, 12]),
            ] {
                writer.add("blk.\(layer).\(name).weight", shape, numbers(shape.reduce(1, *)))
            }
        }
        return writer
    }
}
