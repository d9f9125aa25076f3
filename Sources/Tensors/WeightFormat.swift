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

    /// The same format as the C kernels name it.
    var kernel: kernels_format {
        switch self {
        case .plain: KERNELS_PLAIN_NUMBERS
        case .int8: KERNELS_INT8
        case .int4: KERNELS_INT4
        }
    }

    /// Inputs that share a scale; 0 where there are no groups.
    var group: Int {
        if case .int4(let group) = self { return group }
        return 0
    }
}

/// Rows that are quantized already, as `PackedMatrix.pack(codes:…)` takes them.
package struct QuantizedRows {
    /// `[rows][inputs]`: int8 bytes, or int4 codes 0 ... 15, one a byte.
    package let codes: UnsafePointer<UInt8>
    /// One for each row (int8), or for each row's groups (int4, exact in float16).
    package let scales: UnsafePointer<Float>
    /// As many as scales, exact in float16: what code 0 stands for; nil for int8.
    package let minimums: UnsafePointer<Float>?

    /// Describes borrowed memory.
    package init(codes: UnsafePointer<UInt8>, scales: UnsafePointer<Float>, minimums: UnsafePointer<Float>? = nil) {
        self.codes = codes
        self.scales = scales
        self.minimums = minimums
    }
}
