import CKernels

/// A weight matrix laid out for the kernels, in memory that someone else keeps alive.
///
/// Outputs come in blocks of 32: a block is `[K][32]` for float32 and float16, and `[K/2][32][2]` for bfloat16, so that
/// two inputs of one output are neighbours; quantized formats are described in CKernels/codes/quantized.h. Outputs are
/// padded to 32 and inputs to even with zeros. The layout is the same on every instruction set. The memory starts on a
/// 64-byte boundary.
package struct PackedMatrix {
    /// How rows are ordered in the blocks of 32.
    package enum Kind: UInt8, Sendable {
        /// Block b holds rows 32b ... 32b+31.
        case plain = 0
        /// Block b holds gate rows 16b ... 16b+15 and then the up rows of the same numbers. Rows are numbered over all
        /// gate rows, then all up rows.
        case gateUp = 1

        /// The same order as the C kernels name it.
        var kernel: kernels_packing { kernels_packing(rawValue: UInt32(rawValue)) }
    }

    /// First byte of the packed form.
    package let data: UnsafeRawPointer
    /// Rows before padding; for `.gateUp` gate and up rows together.
    package let outputs: Int
    /// Columns before padding.
    package let inputs: Int
    /// Type of the activations that the weights are multiplied with, and of the weights unless they are quantized.
    package let dtype: DType
    /// Order of the rows.
    package let kind: Kind
    /// How the weights are stored.
    package let format: WeightFormat
    /// Whether columns of a quantized matrix are inputs in another order, which lies behind the blocks.
    package let isOrdered: Bool

    /// Describes packed memory of `byteCount(outputs:inputs:dtype:kind:format:isOrdered:)` bytes.
    package init(
        data: UnsafeRawPointer, outputs: Int, inputs: Int, dtype: DType, kind: Kind = .plain,
        format: WeightFormat = .plain, isOrdered: Bool = false
    ) {
        precondition(!isOrdered || format.hasByteProducts, "plain numbers come in order")
        precondition(UInt(bitPattern: data) % 64 == 0, "packed weights start on a 64-byte boundary")
        Self.check(outputs: outputs, inputs: inputs, kind: kind, format: format)
        self.data = data
        self.outputs = outputs
        self.inputs = inputs
        self.dtype = dtype
        self.kind = kind
        self.format = format
        self.isOrdered = isOrdered
    }

    private static func check(outputs: Int, inputs: Int, kind: Kind, format: WeightFormat) {
        precondition(outputs >= 0 && inputs >= 0, "a matrix has no negative side")
        precondition(kind == .plain || outputs % 2 == 0, "gate and up have the same number of rows")
        if case .int4(let group) = format {
            precondition([32, 64, 128].contains(group), "a group has 32, 64 or 128 inputs")
        }
        if case .float8(let group) = format {
            precondition(group % 32 == 0, "a group has a multiple of 32 inputs")
        }
        if case .blocks(let kind) = format {
            precondition(inputs % kind.inputs == 0, "a row of \(kind) has whole blocks")
        }
        precondition(format == .plain || inputs <= 1 << 17, "a quantized row has at most 131072 inputs")
    }

    /// Bytes of the packed form; a multiple of 64.
    package static func byteCount(
        outputs: Int, inputs: Int, dtype: DType, kind: Kind = .plain, format: WeightFormat = .plain,
        isOrdered: Bool = false
    ) -> Int {
        check(outputs: outputs, inputs: inputs, kind: kind, format: format)
        var shape = kernels_matrix(
            data: nil, outputs: outputs, inputs: inputs, dtype: dtype.kernel, packing: kind.kernel,
            format: format.kernel, group: format.group, blocks: format.blocks, ordered: isOrdered)
        return kernels_packed_bytes(&shape)
    }

    /// Writes rows `first ..< first + count` of the packed form from row-major float32 rows.
    ///
    /// Values are rounded to nearest even; quantized formats choose their scales here. Padding is zeroed by the calls
    /// that touch it, the padding rows by the call that writes the last row. Calls for disjoint rows may run at the same
    /// time on several threads.
    package static func pack(
        rows: UnsafePointer<Float>, first: Int, count: Int, outputs: Int, inputs: Int, dtype: DType,
        kind: Kind = .plain, format: WeightFormat = .plain, into packed: UnsafeMutableRawPointer
    ) {
        precondition(first >= 0 && count >= 0 && first + count <= outputs, "rows lie inside the matrix")
        let target = PackedMatrix(
            data: packed, outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format)
        if case .float8 = format { preconditionFailure("nothing is rounded to float8") }
        withUnsafePointer(to: target.kernel) { kernels_pack($0, rows, first, count, packed) }
    }

    /// Writes rows `first ..< first + count` of a quantized matrix, this one's memory, code for code.
    package func pack(
        codes: QuantizedRows, first: Int, count: Int, into packed: UnsafeMutableRawPointer
    ) {
        precondition(first >= 0 && count >= 0 && first + count <= outputs, "rows lie inside the matrix")
        switch format {
        case .int8, .float8: break
        case .int4: precondition(codes.minimums != nil, "int4 codes have minimums")
        case .plain, .blocks: preconditionFailure("only int8, int4 and float8 take codes")
        }
        var rows = kernels_codes(codes: codes.codes, scales: codes.scales, minimums: codes.minimums)
        withUnsafePointer(to: kernel) { kernels_pack_codes($0, &rows, first, count, packed) }
    }

    /// Writes rows `first ..< first + count` of a matrix of blocks, this one's memory, from a GGUF file's bytes; each row
    /// begins `stride` bytes after the one before.
    package func pack(
        blocks rows: UnsafeRawPointer, stride: Int, first: Int, count: Int, into packed: UnsafeMutableRawPointer
    ) {
        precondition(first >= 0 && count >= 0 && first + count <= outputs, "rows lie inside the matrix")
        guard case .blocks = format else { preconditionFailure("only a matrix of blocks takes blocks") }
        withUnsafePointer(to: kernel) { kernels_pack_blocks($0, rows, stride, first, count, packed) }
    }

    /// Writes which input each column is, behind this matrix's blocks.
    package func pack(order: [Int32], into packed: UnsafeMutableRawPointer) {
        precondition(isOrdered && order.count == inputs, "an ordered matrix has an input for each column")
        precondition(order.allSatisfy { (0..<inputs).contains(Int($0)) }, "columns are inputs")
        order.withUnsafeBytes { (packed + orderOffset).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }

    /// Where the order of the inputs begins.
    private var orderOffset: Int {
        Self.byteCount(outputs: outputs, inputs: inputs, dtype: dtype, kind: kind, format: format)
    }

    /// Reads one row back as float32.
    package func unpackRow(_ row: Int, into out: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < outputs, "the row lies inside the matrix")
        guard isOrdered else { return withUnsafePointer(to: kernel) { kernels_unpack_row($0, row, out) } }
        let order = (data + orderOffset).assumingMemoryBound(to: Int32.self)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, inputs)) { columns in
            withUnsafePointer(to: kernel) { kernels_unpack_row($0, row, columns.baseAddress!) }
            for column in 0..<inputs { out[Int(order[column])] = columns[column] }
        }
    }

    /// The same matrix as the C kernels take it.
    var kernel: kernels_matrix {
        kernels_matrix(
            data: data, outputs: outputs, inputs: inputs, dtype: dtype.kernel, packing: kind.kernel,
            format: format.kernel, group: format.group, blocks: format.blocks, ordered: isOrdered)
    }
}
