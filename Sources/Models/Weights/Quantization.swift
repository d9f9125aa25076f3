import Tensors
package import Values

/// How a model's weights are rounded when they are packed; activations are then rounded to int8 inside the products (by row
/// for int8 weights, by group for int4), and norms, residual stream and cache keep their types.
package enum Quantization: Sendable, Hashable {
    /// Weights in the model's dtype.
    case none
    /// Each tensor in the bits it is stored in, where kernels multiply those, and otherwise in the model's dtype.
    case stored
    /// All products in int8, one weight scale for each output; the output head too.
    case w8a8Int8
    /// Layers in int4 with a scale and a minimum for each `groupSize` inputs (32, 64 or 128), the output head in
    /// `headBits` (8 or 4). Tensors that a GGUF file stores as Q4_0 or Q4_1 keep their codes, scales and groups of 32,
    /// in the head too.
    case int4(groupSize: Int = 64, headBits: Int = 8)

    /// What `--quantization` and its companions ask for; no method leaves weights in the model's dtype.
    package init(_ method: QuantizationMethod?, groupSize: Int, headBits: Int) {
        switch method {
        case nil: self = .none
        case .gguf, .gptq, .awq, .fp8, .compressedTensors: self = .stored
        case .w8a8Int8: self = .w8a8Int8
        case .int4: self = .int4(groupSize: groupSize, headBits: headBits)
        }
    }

    /// Names every choice that decides packed bytes.
    package var name: String {
        switch self {
        case .none: "none"
        case .stored: "stored"
        case .w8a8Int8: "w8a8_int8"
        case .int4(let groupSize, let headBits): "int4-group\(groupSize)-head\(headBits)"
        }
    }

    /// How a matrix is stored, given its role and the types of the checkpoint tensors it is stacked of.
    ///
    /// Tensors that the checkpoint stores as int8 stay int8; there is nothing finer to round. Blocks that a rank's columns
    /// would cut are unpacked.
    func format(
        of role: MatrixRole, _ tensors: [(type: WeightType, columns: Range<Int>, scaleGroup: Int)], modelPath: String
    ) throws(CheckpointError) -> WeightFormat {
        let types = tensors.map(\.type)
        if types.contains(.int8) {
            guard types.allSatisfy({ $0 == .int8 }), role == .layer || role == .head else {
                throw .unsupported(file: modelPath, place: "weights", reason: "int8 in a part of a product only")
            }
            if case .int4 = self {
                throw .badConfig(
                    file: modelPath, key: "quantization_config", reason: "the weights are int8 already, not for \(name)"
                )
            }
            return .int8
        }
        if role == .router { return .plain }
        if self == .stored { return Self.stored(tensors) }
        if role == .lookup { return .plain }
        switch self {
        case .none, .stored: return .plain
        case .w8a8Int8: return .int8
        case .int4(let groupSize, let headBits):
            // Codes of a GGUF file are kept where groups are the file's; nothing is finer than what is stored.
            let stored = types.count { $0 == .q4_0 || $0 == .q4_1 }
            if role == .head && headBits == 8 && stored < types.count { return .int8 }
            return .int4(group: stored > 0 ? 32 : groupSize)
        }
    }
}

extension Quantization {
    /// The format that keeps the blocks of all the tensors as they are; plain where there is none.
    private static func stored(_ tensors: [(type: WeightType, columns: Range<Int>, scaleGroup: Int)]) -> WeightFormat {
        guard let type = tensors.first?.type, tensors.allSatisfy({ $0.type == type }) else {
            // Q4_0 and Q4_1 have one form in common.
            let isInt4 = tensors.allSatisfy { $0.type == .q4_0 || $0.type == .q4_1 }
            return isInt4 && areWhole(tensors, 32) ? .int4(group: 32) : .plain
        }
        if type == .q4_0 || type == .q4_1 {
            // The fewer scales, the fewer bytes.
            let group = [128, 64].first { group in
                areWhole(tensors, group) && tensors.allSatisfy { $0.scaleGroup % group == 0 }
            }
            if let group { return .int4(group: group) }
        }
        if type == .scaledFloat8 { return float8(tensors) }
        guard let kind = type.blockKind, areWhole(tensors, kind.inputs) else { return .plain }
        return .blocks(kind)
    }

    /// The largest groups that do not cut across the scales of any of the tensors.
    private static func float8(
        _ tensors: [(type: WeightType, columns: Range<Int>, scaleGroup: Int)]
    ) -> WeightFormat {
        let cut = tensors.filter { $0.scaleGroup < $0.columns.upperBound }
        if cut.isEmpty { return .float8(group: 0) }
        let group = [128, 64, 32].first { group in
            cut.allSatisfy { $0.scaleGroup % group == 0 && $0.columns.lowerBound % group == 0 }
        }
        return group.map { .float8(group: $0) } ?? .plain
    }

    private static func areWhole(_ tensors: [(type: WeightType, columns: Range<Int>, scaleGroup: Int)], _ size: Int)
        -> Bool
    {
        tensors.allSatisfy { $0.columns.lowerBound % size == 0 && $0.columns.upperBound % size == 0 }
    }
}

/// What a matrix is for.
enum MatrixRole {
    /// A product inside the layers.
    case layer
    /// The product with the output head, which may also be looked up in.
    case head
    /// Only looked up in, row by row.
    case lookup
    /// Scores of experts, in float32 whatever the model's type is.
    case router
}
