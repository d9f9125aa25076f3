import CKernels

/// How the numbers of a packed matrix are stored; activations keep the matrix's dtype outside of products.
package enum WeightFormat: Sendable, Hashable {
    /// In the matrix's dtype.
    case plain
    /// Signed bytes with one scale for each output. Activations are rounded to int8 by row.
    case int8
    /// Codes 0 ... 15 with a float16 scale and minimum for each output and each `group` inputs: 32, 64 or 128.
    /// Activations are rounded to int8 by group.
    case int4(group: Int)
    /// The blocks of a GGUF file, value for value. Activations are rounded to int8 by group: 32 inputs, or 16 in the
    /// kinds whose scales are for 16.
    case blocks(BlockKind)
    /// E4M3 with a float32 scale for each output and each `group` inputs, a multiple of 32, or 0 for all of them. A number is
    /// code times scale, rounded to the matrix's dtype; products are those of plain numbers, bit for bit.
    case float8(group: Int)

    /// The same format as the C kernels name it.
    var kernel: kernels_format {
        switch self {
        case .plain: KERNELS_PLAIN_NUMBERS
        case .int8: KERNELS_INT8
        case .int4: KERNELS_INT4
        case .blocks: KERNELS_BLOCKS
        case .float8: KERNELS_FLOAT8
        }
    }

    /// Whether activations are rounded to int8 and products are of bytes.
    package var hasByteProducts: Bool {
        switch self {
        case .plain, .float8: false
        case .int8, .int4, .blocks: true
        }
    }

    /// Inputs that share a scale; 0 where there are no groups.
    package var group: Int {
        switch self {
        case .int4(let group), .float8(let group): group
        default: 0
        }
    }

    /// The kind of blocks; any where there are none.
    var blocks: kernels_blocks {
        if case .blocks(let kind) = self { return kind.kernel }
        return KERNELS_Q8_0
    }
}

/// Kinds of blocks of a GGUF file that have kernels.
package enum BlockKind: String, Sendable, Hashable, CaseIterable {
    case q4_0, q4_1, q8_0, q5_0, q5_1, q2_K, q3_K, q4_K, q5_K, q6_K, iq4_nl, iq4_xs, mxfp4

    /// Numbers in one block; the rows of a matrix are whole blocks.
    package var inputs: Int {
        switch self {
        case .q4_0, .q4_1, .q8_0, .q5_0, .q5_1, .iq4_nl, .mxfp4: 32
        case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_xs: 256
        }
    }

    /// The numbers that so many blocks of a file stand for, `inputs` each.
    package func dequantize(_ blocks: UnsafeRawPointer, count: Int, into out: UnsafeMutablePointer<Float>) {
        kernels_dequantize_blocks(kernel, blocks, count * inputs, out)
    }

    /// The same kind as the C kernels name it.
    var kernel: kernels_blocks {
        switch self {
        case .q4_0: KERNELS_Q4_0
        case .q4_1: KERNELS_Q4_1
        case .q8_0: KERNELS_Q8_0
        case .q5_0: KERNELS_Q5_0
        case .q5_1: KERNELS_Q5_1
        case .q2_K: KERNELS_Q2_K
        case .q3_K: KERNELS_Q3_K
        case .q4_K: KERNELS_Q4_K
        case .q5_K: KERNELS_Q5_K
        case .q6_K: KERNELS_Q6_K
        case .iq4_nl: KERNELS_IQ4_NL
        case .iq4_xs: KERNELS_IQ4_XS
        case .mxfp4: KERNELS_MXFP4
        }
    }
}

/// Rows that are quantized already, as `PackedMatrix.pack(codes:…)` takes them.
package struct QuantizedRows {
    /// `[rows][inputs]`: int8 bytes, int4 codes 0 ... 15, one a byte, or float8.
    package let codes: UnsafePointer<UInt8>
    /// One for each row (int8), or for each row's groups (int4, exact in float16; float8).
    package let scales: UnsafePointer<Float>
    /// As many as scales, exact in float16: what code 0 stands for; nil for the others.
    package let minimums: UnsafePointer<Float>?

    /// Describes borrowed memory.
    package init(codes: UnsafePointer<UInt8>, scales: UnsafePointer<Float>, minimums: UnsafePointer<Float>? = nil) {
        self.codes = codes
        self.scales = scales
        self.minimums = minimums
    }
}
