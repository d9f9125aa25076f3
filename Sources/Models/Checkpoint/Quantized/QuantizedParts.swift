/// Puts the tensors of quantized matrices together, format by format.
struct QuantizedParts {
    let files: SafetensorsCheckpoint
    let stored: StoredQuantization
    /// What was put together so far, by the matrix's name.
    private(set) var matrices: [String: QuantizedCheckpoint.StoredMatrix] = [:]
    /// All tensors, with matrices in the place of their parts.
    private(set) var tensors: [String: TensorInfo]

    init(files: SafetensorsCheckpoint, stored: StoredQuantization) {
        self.files = files
        self.stored = stored
        tensors = files.tensors
    }

    /// Puts all matrices together.
    mutating func findAll() throws(CheckpointError) {
        for name in files.tensors.keys.sorted() {
            switch stored {
            case .gptq(let bits, let storesZerosLessOne):
                guard let base = name.base(of: ".qweight") else { continue }
                add(base, .grouped(try gptq(base, bits: bits, addend: storesZerosLessOne ? 1 : 0)))
            case .awq:
                if let base = name.base(of: ".qweight") { add(base, .grouped(try awq(base))) }
            case .packed:
                if let base = name.base(of: ".weight_packed") { add(base, .grouped(try packed(base))) }
            case .scaled(let rows, let columns):
                if let base = name.base(of: ".weight"), let matrix = try scaled(base, rows, columns) {
                    add(base, .scaled(matrix))
                }
            case .int8Rows, .mxfp4, .turnedStacks: continue
            }
        }
    }

    /// Shows a matrix in the place of its parts.
    private mutating func add(_ base: String, _ matrix: QuantizedCheckpoint.StoredMatrix) {
        let name = base + ".weight"
        let info: TensorInfo
        switch matrix {
        case .grouped(let grouped):
            info = TensorInfo(
                name: name, shape: [grouped.outputs, grouped.inputs], type: grouped.storedType,
                file: grouped.codes.words.info.file, scaleGroup: grouped.groups == 1 ? grouped.inputs : grouped.group,
                inputOrder: grouped.storedType == .float32 ? nil : grouped.sorted)
        case .scaled(let scaled):
            info = TensorInfo(
                name: name, shape: scaled.bytes.info.shape, type: scaled.storedType, file: scaled.bytes.info.file,
                scaleGroup: scaled.blockColumns)
        }
        for part in Self.parts { tensors[base + part] = nil }
        tensors[name] = info
        matrices[name] = matrix
    }

    /// What a matrix may be made of, or have beside it: scales of activations are not used, they are measured.
    private static let parts = [
        ".qweight", ".qzeros", ".scales", ".g_idx", ".weight_packed", ".weight_scale", ".weight_zero_point",
        ".weight_shape", ".weight_g_idx", ".weight_scale_inv", ".input_scale", ".input_zero_point", ".k_scale",
        ".v_scale",
        ".output_scale",
    ]

    // MARK: Formats

    private func gptq(_ base: String, bits: Int, addend: Int) throws(CheckpointError) -> GroupedMatrix {
        let words = try part(base + ".qweight", .int32)
        let scales = try floats(base + ".scales")
        let outputs = words.info.rowElements
        let order = try integers(base + ".g_idx")
        // A checkpoint may have other bits for some matrices, which the number of inputs tells.
        let inputs = order?.count ?? words.info.rowCount * 32 / bits
        let bits = inputs > 0 ? words.info.rowCount * 32 / inputs : bits
        guard [2, 3, 4, 8].contains(bits), words.info.rowCount * 32 == inputs * bits else {
            throw unfit(words, "does not hold \(inputs) rows of 2, 3, 4 or 8 bits")
        }
        let codes = PackedCodes(words: words, bits: bits, wordStride: outputs, laneStride: 1)
        let groups = scales.info.rowCount
        let zeros = try part(base + ".qzeros", .int32)
        guard scales.info.shape == [groups, outputs], groups > 0, zeros.info.shape == [groups, outputs * bits / 32],
            outputs * bits % 32 == 0
        else { throw unfit(zeros, "does not go with scales of shape \(scales.info.shape)") }
        let each = PackedCodes(words: zeros, bits: bits, wordStride: 1, laneStride: outputs * bits / 32)
        return try grouped(
            base, outputs, inputs, codes, lanesAreOutputs: true,
            zeros: uniform(each, addend) ?? .each(each, addend: addend, indexIsOutput: true), scales: scales,
            strides: (1, outputs), groups: groups, order: order)
    }

    private func awq(_ base: String) throws(CheckpointError) -> GroupedMatrix {
        let words = try part(base + ".qweight", .int32)
        let zeros = try part(base + ".qzeros", .int32)
        let scales = try floats(base + ".scales")
        let (inputs, width) = (words.info.rowCount, words.info.rowElements)
        let groups = scales.info.rowCount
        guard scales.info.shape == [groups, width * 8], groups > 0, zeros.info.shape == [groups, width] else {
            throw unfit(zeros, "does not go with scales of shape \(scales.info.shape)")
        }
        let codes = PackedCodes(words: words, bits: 4, wordStride: 1, laneStride: width, isInterleaved: true)
        let each = PackedCodes(words: zeros, bits: 4, wordStride: 1, laneStride: width, isInterleaved: true)
        return try grouped(
            base, width * 8, inputs, codes, lanesAreOutputs: false,
            zeros: uniform(each, 0) ?? .each(each, addend: 0, indexIsOutput: true), scales: scales,
            strides: (1, width * 8), groups: groups, order: nil)
    }

    private func packed(_ base: String) throws(CheckpointError) -> GroupedMatrix {
        let words = try part(base + ".weight_packed", .int32)
        let scales = try floats(base + ".weight_scale")
        guard let shape = try integers(base + ".weight_shape"), shape.count == 2 else {
            throw .missingTensors(path: files.path, names: [base + ".weight_shape"])
        }
        let (outputs, inputs) = (Int(shape[0]), Int(shape[1]))
        let bits = [2, 4, 8].first { words.info.shape == [outputs, (inputs * $0 + 31) / 32] }
        guard let bits, outputs > 0 else { throw unfit(words, "does not hold \(outputs) rows of \(inputs)") }
        let codes = PackedCodes(words: words, bits: bits, wordStride: 1, laneStride: words.info.rowElements)
        let groups = scales.info.rowElements
        guard scales.info.rowCount == outputs || scales.info.elementCount == 1, groups > 0 else {
            throw unfit(scales, "is not for \(outputs) rows")
        }
        var zeros = GroupedMatrix.Zeros.all(1 << (bits - 1))
        if files.tensors[base + ".weight_zero_point"] != nil {
            let stored = try part(base + ".weight_zero_point", .int32)
            guard stored.info.shape == [(outputs * bits + 31) / 32, groups] else {
                throw unfit(stored, "is not for \(outputs) rows of \(groups) groups")
            }
            let each = PackedCodes(words: stored, bits: bits, wordStride: groups, laneStride: 1)
            zeros = .each(each, addend: 0, indexIsOutput: true)
        }
        let order = try integers(base + ".weight_g_idx")
        return try grouped(
            base, outputs, inputs, codes, lanesAreOutputs: true, zeros: zeros, scales: scales,
            strides: scales.info.elementCount == 1 ? (0, 0) : (groups, 1), groups: groups,
            order: order?.contains(-1) == true ? nil : order)
    }

    private func scaled(_ base: String, _ rows: Int, _ columns: Int) throws(CheckpointError) -> ScaledMatrix? {
        guard let info = files.tensors[base + ".weight"], info.shape.count == 2,
            [.float8E4M3, .float8E5M2, .int8].contains(info.type)
        else { return nil }
        let bytes = files.bytes(of: info)
        let isInverse = files.tensors[base + ".weight_scale_inv"] != nil
        let scales = try floats(base + (isInverse ? ".weight_scale_inv" : ".weight_scale"))
        let (outputs, inputs) = (info.shape[0], info.shape[1])
        let (blockRows, blockColumns): (Int, Int)
        switch scales.info.shape {
        case [], [1], [1, 1]: (blockRows, blockColumns) = (max(1, outputs), max(1, inputs))
        case [outputs], [outputs, 1]: (blockRows, blockColumns) = (1, max(1, inputs))
        case [(outputs + rows - 1) / rows, (inputs + columns - 1) / columns]:
            (blockRows, blockColumns) = (rows, columns)
        default: throw unfit(scales, "is not for \(outputs) rows of \(inputs), nor for blocks of \(rows) × \(columns)")
        }
        return ScaledMatrix(bytes: bytes, scales: scales.floats(), blockRows: blockRows, blockColumns: blockColumns)
    }

    // MARK: Parts

    private func grouped(
        _ base: String, _ outputs: Int, _ inputs: Int, _ codes: PackedCodes, lanesAreOutputs: Bool,
        zeros: GroupedMatrix.Zeros, scales: StoredBytes, strides: (output: Int, group: Int), groups: Int,
        order: [Int32]?
    ) throws(CheckpointError) -> GroupedMatrix {
        // The last group may be shorter: groups are powers of two, as every quantizer makes them, where they do not divide.
        var group = (inputs + groups - 1) / groups
        if inputs % groups != 0 {
            group = 1
            while (inputs + group - 1) / group > groups { group *= 2 }
        }
        guard (inputs + group - 1) / group == groups else {
            throw unfit(scales, "has \(groups) groups of \(inputs) inputs")
        }
        var unsorted: [Int32]?
        if let order {
            guard order.count == inputs, order.allSatisfy({ 0 <= $0 && $0 < groups }) else {
                throw unfit(scales, "has \(groups) groups, and an input is in none of them")
            }
            let isSorted = order.indices.allSatisfy { Int(order[$0]) == $0 / group }
            unsorted = isSorted ? nil : order
        }
        var sorted: InputOrder?
        if let unsorted {
            let inputs = unsorted.indices.sorted { (unsorted[$0], $0) < (unsorted[$1], $1) }
            let areWhole = inputs.indices.allSatisfy { Int(unsorted[inputs[$0]]) == $0 / group }
            sorted = areWhole ? InputOrder(inputs.map { Int32($0) }) : nil
        }
        return GroupedMatrix(
            outputs: outputs, inputs: inputs, codes: codes, lanesAreOutputs: lanesAreOutputs, zeros: zeros,
            scales: scales.floats(), outputStride: strides.output, groupStride: strides.group, group: group,
            order: unsorted, sorted: sorted)
    }

    /// The zero point that all have, as symmetric quantizers write it; nil where they differ.
    private func uniform(_ zeros: PackedCodes, _ addend: Int) -> GroupedMatrix.Zeros? {
        let info = zeros.words.info
        let base = zeros.words.pointer
        guard info.elementCount > 0, 32 % zeros.bits == 0 else { return nil }
        let first = base.loadUnaligned(as: UInt32.self)
        for index in 1..<max(2, info.elementCount) where index < info.elementCount {
            if base.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self) != first { return nil }
        }
        let mask = UInt32(1 << zeros.bits - 1)
        let code = first & mask
        guard (0..<32 / zeros.bits).allSatisfy({ first >> UInt32($0 * zeros.bits) & mask == code }) else { return nil }
        return .all(Int(code) + addend)
    }

    private func part(_ name: String, _ type: WeightType) throws(CheckpointError) -> StoredBytes {
        guard let info = files.tensors[name] else { throw .missingTensors(path: files.path, names: [name]) }
        let bytes = files.bytes(of: info)
        guard info.type == type, info.shape.count == 2 else {
            throw unfit(bytes, "is \(info.type.rawValue) of shape \(info.shape), not a matrix of \(type.rawValue)")
        }
        return bytes
    }

    private func floats(_ name: String) throws(CheckpointError) -> StoredBytes {
        guard let info = files.tensors[name] else { throw .missingTensors(path: files.path, names: [name]) }
        let bytes = files.bytes(of: info)
        guard info.type.isFloat, info.shape.count <= 2 else {
            throw unfit(bytes, "is \(info.type.rawValue) of shape \(info.shape), not scales")
        }
        return bytes
    }

    /// A short vector of integers; nil where there is none.
    private func integers(_ name: String) throws(CheckpointError) -> [Int32]? {
        guard let info = files.tensors[name] else { return nil }
        let bytes = files.bytes(of: info)
        switch info.type {
        case .int32:
            return (0..<info.elementCount).map { bytes.pointer.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
        case .int64:
            return (0..<info.elementCount).map {
                Int32(clamping: bytes.pointer.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
            }
        default: throw unfit(bytes, "is \(info.type.rawValue), not integers")
        }
    }

    private func unfit(_ bytes: StoredBytes, _ reason: String) -> CheckpointError {
        .malformed(file: bytes.info.file, place: "tensor `\(printable(bytes.info.name))`", reason: reason)
    }
}

extension String {
    /// What stands before an ending; nil where it has another.
    fileprivate func base(of ending: String) -> String? {
        hasSuffix(ending) ? String(dropLast(ending.count)) : nil
    }
}
