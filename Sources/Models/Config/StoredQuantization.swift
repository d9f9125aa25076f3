/// How a checkpoint stores matrices that are not rows of plain numbers: those that were quantized before it was published
/// (`quantization_config`), and stacks that lie the other way round.
///
/// Which matrices are quantized, in how many bits and groups is read off the tensors: checkpoints mix them, and name what they
/// leave out in several ways.
package enum StoredQuantization: Sendable, Equatable {
    /// GPTQ: `qweight` packed along inputs, `qzeros`, `scales`, and the group of each input in `g_idx`. The first format
    /// stores zero points less one.
    case gptq(bits: Int, storesZerosLessOne: Bool)
    /// AWQ: `qweight` and `qzeros` of 4 bits packed along outputs, in an order of their own.
    case awq
    /// `pack-quantized` of compressed-tensors: `weight_packed` along inputs, `weight_scale`, `weight_zero_point`.
    case packed
    /// Numbers of 8 bits with scales for tensors, rows or blocks of `blockRows` × `blockColumns`.
    case scaled(blockRows: Int, blockColumns: Int)
    /// Signed bytes with a scale for each row, which are a matrix's codes as they are.
    case int8Rows
    /// Experts in MXFP4, blocks and scales apart, which are a GGUF file's blocks but for the order of their numbers. Where
    /// activations are float32 they are unpacked.
    case mxfp4
    /// Nothing is quantized, but stacks of experts have their inputs first.
    case turnedStacks

    /// Reads what the configuration says; throws for methods and formats that are not read here.
    init(_ fields: ConfigFields) throws(CheckpointError) {
        let method = try fields.string("quant_method") ?? "gptq"
        switch method {
        case "gptq": self = try Self.gptq(fields)
        case "awq":
            let version = try fields.string("version")?.lowercased() ?? "gemm"
            guard version == "gemm" else {
                throw fields.error("version", "`\(printable(version))` is not supported; supported: gemm")
            }
            let bits = try fields.firstInteger(["bits", "w_bit"], in: 1...8) ?? 4
            guard bits == 4 else { throw fields.error("bits", "AWQ of \(bits) bits is not supported; supported: 4") }
            self = .awq
        case "fp8", "blockwise_int8": self = try Self.scaled(fields)
        case "compressed-tensors": self = try Self.compressedTensors(fields)
        case "w8a8_int8": self = .int8Rows
        case "mxfp4": self = .mxfp4
        default:
            throw fields.error(
                "quant_method",
                "`\(printable(method))` is not supported; supported: \(Self.methods.joined(separator: ", ")), "
                    + "and GGUF files")
        }
    }

    /// What `quant_method` may say.
    static let methods = ["awq", "blockwise_int8", "compressed-tensors", "fp8", "gptq", "mxfp4", "w8a8_int8"]

    private static func gptq(_ fields: ConfigFields) throws(CheckpointError) -> Self {
        let bits = try fields.integer("bits", in: 1...16) ?? 4
        guard [2, 3, 4, 8].contains(bits) else {
            throw fields.error("bits", "GPTQ of \(bits) bits is not supported; supported: 2, 3, 4, 8")
        }
        let format = try fields.string("checkpoint_format") ?? "gptq"
        guard ["gptq", "gptq_v2"].contains(format) else {
            throw fields.error(
                "checkpoint_format", "`\(printable(format))` is not supported; supported: gptq, gptq_v2")
        }
        return .gptq(bits: bits, storesZerosLessOne: format == "gptq")
    }

    private static func scaled(_ fields: ConfigFields) throws(CheckpointError) -> Self {
        let block = try fields.integers("weight_block_size", in: 1...65_536) ?? [128, 128]
        guard block.count == 2 else { throw fields.error("weight_block_size", "is not two sizes") }
        return .scaled(blockRows: block[0], blockColumns: block[1])
    }

    private static func compressedTensors(_ fields: ConfigFields) throws(CheckpointError) -> Self {
        if let transforms = try fields.object("transform_config"), !transforms.keys.isEmpty {
            throw fields.error("transform_config", "is not supported; supported: none")
        }
        if let sparsity = try fields.object("sparsity_config"), let format = try sparsity.string("format"),
            format != "dense"
        {
            throw sparsity.error("format", "`\(printable(format))` is not supported; supported: dense")
        }
        let format = try fields.string("format") ?? "int-quantized"
        switch format {
        case "pack-quantized": return .packed
        case "int-quantized": return .int8Rows
        case "float-quantized", "naive-quantized", "dense": return .scaled(blockRows: 128, blockColumns: 128)
        default:
            throw fields.error(
                "format",
                "`\(printable(format))` is not supported; supported: pack-quantized, int-quantized, float-quantized")
        }
    }

    /// Tells checkpoints apart whose files are equal and mean different numbers.
    var name: String { "\(self)" }
}
