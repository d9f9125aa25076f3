package import Tensors

/// How the numbers of a tensor are stored in a checkpoint file.
///
/// Numbers come in blocks: one element for plain types, 32 or 256 for quantised ones; blocks lie one after another along the
/// last dimension.
package enum WeightType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float8E4M3 = "F8_E4M3"
    case float8E5M2 = "F8_E5M2"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"
    case q4_0 = "Q4_0"
    case q4_1 = "Q4_1"
    case q5_0 = "Q5_0"
    case q5_1 = "Q5_1"
    case q8_0 = "Q8_0"
    case q4_K = "Q4_K"
    case q5_K = "Q5_K"
    case q6_K = "Q6_K"
    case q2_K = "Q2_K"
    case q3_K = "Q3_K"
    case iq4_nl = "IQ4_NL"
    case iq4_xs = "IQ4_XS"
    case mxfp4 = "MXFP4"
    /// E4M3 with scales that are kept elsewhere.
    case scaledFloat8 = "scaled F8_E4M3"

    /// Elements in one block.
    package var blockElements: Int {
        switch self {
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl, .mxfp4: 32
        case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_xs: 256
        default: 1
        }
    }

    /// Bytes of one block.
    package var blockBytes: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .float8E4M3, .float8E5M2, .scaledFloat8, .int8, .uint8, .bool: 1
        case .q4_0: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q8_0: 34
        case .q4_K: 144
        case .q5_K: 176
        case .q6_K: 210
        case .q2_K: 84
        case .q3_K: 110
        case .iq4_nl: 18
        case .iq4_xs: 136
        case .mxfp4: 17
        }
    }

    /// Whether the stored numbers can be read as float32 by themselves; integers of quantised formats need scales kept
    /// elsewhere.
    package var isFloat: Bool {
        switch self {
        case .int64, .int32, .int16, .int8, .uint8, .bool: false
        default: true
        }
    }

    /// The blocks that kernels multiply as they are; nil where there are none.
    package var blockKind: BlockKind? {
        switch self {
        case .q4_0: .q4_0
        case .q4_1: .q4_1
        case .q5_0: .q5_0
        case .q5_1: .q5_1
        case .q8_0: .q8_0
        case .q2_K: .q2_K
        case .q3_K: .q3_K
        case .q4_K: .q4_K
        case .q5_K: .q5_K
        case .q6_K: .q6_K
        case .iq4_nl: .iq4_nl
        case .iq4_xs: .iq4_xs
        case .mxfp4: .mxfp4
        default: nil
        }
    }

    /// The type with this number in a GGUF tensor table, nil when this reader has none.
    init?(ggml number: UInt32) {
        switch number {
        case 0: self = .float32
        case 1: self = .float16
        case 2: self = .q4_0
        case 3: self = .q4_1
        case 6: self = .q5_0
        case 7: self = .q5_1
        case 8: self = .q8_0
        case 10: self = .q2_K
        case 11: self = .q3_K
        case 12: self = .q4_K
        case 13: self = .q5_K
        case 14: self = .q6_K
        case 20: self = .iq4_nl
        case 23: self = .iq4_xs
        case 24: self = .int8
        case 25: self = .int16
        case 26: self = .int32
        case 27: self = .int64
        case 28: self = .float64
        case 30: self = .bfloat16
        case 39: self = .mxfp4
        default: return nil
        }
    }

    /// The type with this name in a safetensors header, nil when this reader has none.
    init?(safetensors name: String) {
        guard let type = WeightType(rawValue: name), type.blockElements == 1, type != .scaledFloat8 else { return nil }
        self = type
    }

    /// Bytes of `elements` numbers; nil when they are no whole blocks or the product overflows.
    func byteCount(elements: Int) -> Int? {
        guard elements >= 0, elements % blockElements == 0 else { return nil }
        let (bytes, overflow) = (elements / blockElements).multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }
}

/// Name, shape and place of one tensor of a checkpoint.
package struct TensorInfo: Sendable, Equatable {
    /// The Hugging Face name.
    package let name: String
    /// Dimensions, slowest first; the last one is contiguous. Their product is known not to overflow.
    package let shape: [Int]
    /// How the numbers are stored.
    package let type: WeightType
    /// Path of the file that holds it.
    package let file: String
    /// Neighbouring inputs that are known to have one scale, for Q4_0 whose scales are coarser than its blocks and for E4M3.
    package let scaleGroup: Int
    /// The order in which `readStoredRows` has a row's numbers; nil for that of `readRows`.
    let inputOrder: InputOrder?

    /// Describes a tensor whose element count does not overflow.
    package init(name: String, shape: [Int], type: WeightType, file: String, scaleGroup: Int = 32) {
        self.init(name: name, shape: shape, type: type, file: file, scaleGroup: scaleGroup, inputOrder: nil)
    }

    /// The same with an order of its inputs.
    init(name: String, shape: [Int], type: WeightType, file: String, scaleGroup: Int, inputOrder: InputOrder?) {
        self.inputOrder = inputOrder
        self.name = name
        self.shape = shape
        self.type = type
        self.file = file
        self.scaleGroup = scaleGroup
    }

    /// The same tensor under another name.
    func named(_ name: String) -> TensorInfo {
        TensorInfo(
            name: name, shape: shape, type: type, file: file, scaleGroup: scaleGroup, inputOrder: inputOrder)
    }

    /// The same numbers in another shape; throws for one that has not as many.
    func viewed(as shape: [Int]) throws(CheckpointError) -> TensorInfo {
        guard checkedElementCount(shape) == elementCount else {
            throw .shapeMismatch(file: file, tensor: name, expected: shape, found: self.shape)
        }
        return TensorInfo(
            name: name, shape: shape, type: type, file: file, scaleGroup: scaleGroup, inputOrder: inputOrder)
    }

    /// Bytes of a row as `readStoredRows` copies it: of E4M3 with scales the numbers, and then the scales as float32.
    var storedRowBytes: Int {
        let scales = type == .scaledFloat8 ? (rowElements + scaleGroup - 1) / scaleGroup : 0
        return rowElements / type.blockElements * type.blockBytes + scales * MemoryLayout<Float>.size
    }

    /// Size of dimension 0; 1 for a scalar.
    package var rowCount: Int { shape.first ?? 1 }
    /// Numbers in a row: the product of the dimensions after the first; 1 for a vector.
    package var rowElements: Int { shape.dropFirst().reduce(1, *) }
    /// Numbers in all.
    package var elementCount: Int { shape.reduce(1, *) }
}

/// Which input each number of a stored row belongs to, so that those of one scale are neighbours.
final class InputOrder: Sendable, Equatable {
    /// By place in the row.
    let inputs: [Int32]

    /// Takes the order.
    init(_ inputs: [Int32]) { self.inputs = inputs }

    static func == (left: InputOrder, right: InputOrder) -> Bool {
        left === right || left.inputs == right.inputs
    }
}

/// The product of the dimensions; nil when one is negative or the product overflows.
///
/// Zeros are set aside first, so that no partial product of a shape that passes can overflow either.
func checkedElementCount(_ shape: [Int]) -> Int? {
    var count = 1
    var hasZero = false
    for dimension in shape {
        guard dimension >= 0 else { return nil }
        if dimension == 0 {
            hasZero = true
            continue
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
        if overflow { return nil }
        count = product
    }
    return hasZero ? 0 : count
}
