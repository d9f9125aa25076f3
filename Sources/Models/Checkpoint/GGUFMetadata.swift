/// One metadata value of a GGUF file; texts and arrays stay in the file until somebody asks for them, so what nobody reads
/// may be anything.
enum GGUFValue: Equatable {
    case unsigned(UInt64)
    case signed(Int64)
    case floating(Double)
    case boolean(Bool)
    /// The byte offset of the text's length.
    case string(at: Int)
    case array(GGUFArray)
}

/// An array value: its elements were walked and checked when the header was parsed, so decoding cannot leave the file.
struct GGUFArray: Equatable {
    /// Type of the elements.
    let type: GGUFValueType
    /// Number of elements.
    let count: Int
    /// Byte offset of the first element.
    let offset: Int
}

/// The value types of GGUF, by their numbers in the file.
enum GGUFValueType: UInt32 {
    case uint8 = 0, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of one element; nil where it varies.
    var fixedSize: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }

    /// Fewest bytes an element can take; bounds what a count may claim.
    var smallestSize: Int {
        switch self {
        case .string: 8
        case .array: 12
        default: fixedSize ?? 1
        }
    }
}

extension ByteReader {
    /// Reads the number of a value type.
    mutating func valueType() throws(CheckpointError) -> GGUFValueType {
        let start = offset
        let number = try integer(UInt32.self, "a value type")
        guard let type = GGUFValueType(rawValue: number) else {
            throw malformed(at: start, "unknown value type \(number)")
        }
        return type
    }

    /// Reads one value of `type`; steps over the elements of an array and checks them on the way.
    mutating func value(_ type: GGUFValueType, depth: Int = 0) throws(CheckpointError) -> GGUFValue {
        switch type {
        case .uint8: return .unsigned(UInt64(try integer(UInt8.self, "a value")))
        case .int8: return .signed(Int64(try integer(Int8.self, "a value")))
        case .uint16: return .unsigned(UInt64(try integer(UInt16.self, "a value")))
        case .int16: return .signed(Int64(try integer(Int16.self, "a value")))
        case .uint32: return .unsigned(UInt64(try integer(UInt32.self, "a value")))
        case .int32: return .signed(Int64(try integer(Int32.self, "a value")))
        case .uint64: return .unsigned(try integer(UInt64.self, "a value"))
        case .int64: return .signed(try integer(Int64.self, "a value"))
        case .float32: return .floating(Double(Float(bitPattern: try integer(UInt32.self, "a value"))))
        case .float64: return .floating(Double(bitPattern: try integer(UInt64.self, "a value")))
        case .bool: return .boolean(try integer(UInt8.self, "a value") != 0)
        case .string: return .string(at: try skipString("a value"))
        case .array: return .array(try array(depth: depth))
        }
    }

    /// Reads the head of an array and steps over its elements.
    private mutating func array(depth: Int) throws(CheckpointError) -> GGUFArray {
        let start = offset
        guard depth < 8 else { throw malformed(at: start, "arrays nested more than 8 deep") }
        let type = try valueType()
        let count = try self.count("an array length", itemSize: type.smallestSize)
        let array = GGUFArray(type: type, count: count, offset: offset)
        if let size = type.fixedSize {
            try skip(count * size, "an array")
        } else if type == .string {
            for _ in 0..<count { try skipString("an array element") }
        } else {
            for _ in 0..<count { _ = try self.array(depth: depth + 1) }
        }
        return array
    }
}
