import CKernels

/// A weight matrix laid out for the kernels, in memory that someone else keeps alive.
///
/// Outputs come in blocks of 32: a block is `[K][32]` for float32 and float16, and `[K/2][32][2]` for bfloat16, so that
/// two inputs of one output are neighbours. Outputs are padded to 32 and inputs to even with zeros. The layout is the
/// same on every instruction set. The memory starts on a 64-byte boundary.
package struct PackedMatrix {
    /// How rows are ordered in the blocks of 32.
    package enum Kind: UInt8, Sendable {
        /// Block b holds rows 32b ... 32b+31.
        case plain = 0
        /// Block b holds gate rows 16b ... 16b+15 and then the up rows of the same numbers. Rows are numbered over all
        /// gate rows, then all up rows.
        case gateUp = 1
    }

    /// First byte of the packed form.
    package let data: UnsafeRawPointer
    /// Rows before padding; for `.gateUp` gate and up rows together.
    package let outputs: Int
    /// Columns before padding.
    package let inputs: Int
    /// Type of the stored weights, and of the activations they are multiplied with.
    package let dtype: DType
    /// Order of the rows.
    package let kind: Kind

    /// Describes packed memory of `byteCount(outputs:inputs:dtype:kind:)` bytes.
    package init(data: UnsafeRawPointer, outputs: Int, inputs: Int, dtype: DType, kind: Kind = .plain) {
        precondition(outputs >= 0 && inputs >= 0, "a matrix has no negative side")
        precondition(kind == .plain || outputs % 2 == 0, "gate and up have the same number of rows")
        precondition(UInt(bitPattern: data) % 64 == 0, "packed weights start on a 64-byte boundary")
        self.data = data
        self.outputs = outputs
        self.inputs = inputs
        self.dtype = dtype
        self.kind = kind
    }

    /// Bytes of the packed form; a multiple of 64.
    package static func byteCount(outputs: Int, inputs: Int, dtype: DType, kind: Kind = .plain) -> Int {
        kernels_packed_bytes(outputs, inputs, dtype.kernel, kernels_packing(rawValue: UInt32(kind.rawValue)))
    }

    /// Writes rows `first ..< first + count` of the packed form from row-major float32 rows.
    ///
    /// Values are rounded to nearest even. Padding is zeroed by the calls that touch it, the padding rows by the call
    /// that writes the last row. Calls for disjoint rows may run at the same time on several threads.
    package static func pack(
        rows: UnsafePointer<Float>, first: Int, count: Int, outputs: Int, inputs: Int, dtype: DType,
        kind: Kind = .plain, into packed: UnsafeMutableRawPointer
    ) {
        precondition(first >= 0 && count >= 0 && first + count <= outputs, "rows lie inside the matrix")
        let target = PackedMatrix(data: packed, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind)
        withUnsafePointer(to: target.kernel) { kernels_pack($0, rows, first, count, packed) }
    }

    /// Reads one row back as float32.
    package func unpackRow(_ row: Int, into out: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < outputs, "the row lies inside the matrix")
        withUnsafePointer(to: kernel) { kernels_unpack_row($0, row, out) }
    }

    /// The same matrix as the C kernels take it.
    var kernel: kernels_matrix {
        kernels_matrix(
            data: data, outputs: outputs, inputs: inputs, dtype: dtype.kernel,
            packing: kernels_packing(rawValue: UInt32(kind.rawValue)))
    }
}
