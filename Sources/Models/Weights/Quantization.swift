import Tensors

/// How a model's weights are rounded when they are packed; activations are then rounded to int8 row by row inside the
/// products, and norms, residual stream and cache keep their types.
package enum Quantization: Sendable, Hashable {
    /// Weights in the model's dtype.
    case none
    /// All products in int8, one weight scale for each output; the output head too.
    case w8a8Int8
    /// Layers in int4 with a scale and a minimum for each `groupSize` inputs (32, 64 or 128), the output head in
    /// `headBits` (8 or 4). Tensors that a GGUF file stores as Q4_0 or Q4_1 keep their codes, scales and groups of 32.
    case int4(groupSize: Int = 64, headBits: Int = 8)

    /// Names every choice that decides packed bytes.
    package var name: String {
        switch self {
        case .none: "none"
        case .w8a8Int8: "w8a8_int8"
        case .int4(let groupSize, let headBits): "int4-group\(groupSize)-head\(headBits)"
        }
    }

    /// How a matrix is stored, given its role and the types of the checkpoint tensors it is stacked of.
    func format(of role: MatrixRole, storedAs types: [WeightType]) -> WeightFormat {
        if role == .lookup { return .plain }
        switch self {
        case .none: return .plain
        case .w8a8Int8: return .int8
        case .int4(let groupSize, let headBits):
            if role == .head && headBits == 8 { return .int8 }
            return .int4(group: keepsCodes(types) ? 32 : groupSize)
        }
    }

    /// Whether the tensors' own codes and scales become the packed ones.
    private func keepsCodes(_ types: [WeightType]) -> Bool {
        !types.isEmpty && types.allSatisfy { $0 == .q4_0 || $0 == .q4_1 }
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
}
