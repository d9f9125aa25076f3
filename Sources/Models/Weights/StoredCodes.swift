package import Tensors

extension BoundTensor {
    /// Whether the packed form can keep this tensor's own codes and scales, so that packing rounds nothing.
    package func keepsCodes(in format: WeightFormat, columns: Range<Int>) -> Bool {
        switch type {
        case .int8: format == .int8
        case .scaledFloat8: if case .float8 = format { true } else { false }
        case _ where format == type.blockKind.map { .blocks($0) }: true
        case .q4_0, .q4_1:
            if case .int4(let group) = format {
                (group == 32 || info.scaleGroup % group == 0) && columns.lowerBound % group == 0
                    && rowElements % 32 == 0
            } else {
                false
            }
        default: false
        }
    }

    /// Packs rows `rows` of the tensor, their columns `columns`, from row `target` of the matrix on, code for code.
    ///
    /// `scale` is the tensor of an int8 tensor's row scales. Call it only where `keepsCodes` says so.
    package func packCodes(
        rows: Range<Int>, columns: Range<Int>, scale: BoundTensor?, target: Int, matrix: PackedMatrix,
        into packed: UnsafeMutableRawPointer
    ) throws(CheckpointError) {
        let rowBytes = info.storedRowBytes
        let stored = UnsafeMutableRawPointer.allocate(byteCount: rows.count * rowBytes, alignment: 64)
        defer { stored.deallocate() }
        try checkpoint.readStoredRows(info, rows: rows, into: stored)
        if case .blocks = matrix.format {
            let first = stored + columns.lowerBound / type.blockElements * type.blockBytes
            return matrix.pack(blocks: first, stride: rowBytes, first: target, count: rows.count, into: packed)
        }
        let group = matrix.format.group == 0 ? columns.count : matrix.format.group
        let codes = CodeBuffer(rows: rows.count, columns: columns.count, group: group)
        defer { codes.deallocate() }
        if let scale, type == .int8 { try scale.readRows(rows, into: codes.scales) }
        for row in 0..<rows.count {
            let source = UnsafeRawPointer(stored + row * rowBytes)
            switch type {
            case .int8:
                let first = (source + columns.lowerBound).assumingMemoryBound(to: UInt8.self)
                (codes.codes + row * columns.count).update(from: first, count: columns.count)
            case .scaledFloat8:
                codes.take(source, columns: columns, scales: source + rowElements, each: info.scaleGroup, row: row)
            default:
                codes.take(source + columns.lowerBound / 32 * type.blockBytes, type: type, row: row)
            }
        }
        matrix.pack(codes: codes.rows, first: target, count: rows.count, into: packed)
    }
}

/// Codes, scales and minimums of some rows.
private struct CodeBuffer {
    let codes: UnsafeMutablePointer<UInt8>
    let scales: UnsafeMutablePointer<Float>
    let minimums: UnsafeMutablePointer<Float>
    let columns: Int
    let group: Int
    let groups: Int

    init(rows: Int, columns: Int, group: Int) {
        self.columns = columns
        self.group = group
        groups = (columns + group - 1) / max(1, group)
        codes = .allocate(capacity: rows * columns)
        scales = .allocate(capacity: rows * groups)
        minimums = .allocate(capacity: rows * groups)
    }

    func deallocate() {
        codes.deallocate()
        scales.deallocate()
        minimums.deallocate()
    }

    var rows: QuantizedRows { QuantizedRows(codes: codes, scales: scales, minimums: minimums) }

    /// Takes the columns `columns` of a row of E4M3, and their scales: one for each `each` inputs of the whole row.
    func take(
        _ numbers: UnsafeRawPointer, columns: Range<Int>, scales own: UnsafeRawPointer, each: Int, row: Int
    ) {
        let first = (numbers + columns.lowerBound).assumingMemoryBound(to: UInt8.self)
        (codes + row * self.columns).update(from: first, count: self.columns)
        for number in 0..<groups {
            let place = (columns.lowerBound + number * group) / each
            scales[row * groups + number] = own.loadUnaligned(fromByteOffset: place * 4, as: Float.self)
        }
    }

    /// Takes a row of Q4_0 or Q4_1 blocks; low nibbles are the first half of a block's numbers.
    ///
    /// Q4_0 stands for d·(q − 8), which is d·q with minimum −8·d: exact in float16, like d itself.
    func take(_ blocks: UnsafeRawPointer, type: WeightType, row: Int) {
        let header = type.blockBytes - 16
        for number in 0..<(columns + 31) / 32 {
            let block = blocks + number &* type.blockBytes
            let scale = half(block, 0)
            // Blocks of one group have one scale.
            scales[row &* groups &+ number &* 32 / group] = scale
            minimums[row &* groups &+ number &* 32 / group] = type == .q4_0 ? -8 * scale : half(block, 2)
            let first = codes + (row * columns + number * 32)
            for i in 0..<min(32, columns &- number &* 32) {
                let pair = byte(block, header &+ i % 16)
                first[i] = i < 16 ? pair & 15 : pair &>> 4
            }
        }
    }
}
