import CKernels

/// The element types a model can compute in.
package enum DType: UInt8, Sendable, CaseIterable {
    case float32 = 0
    case float16 = 1
    case bfloat16 = 2

    /// Bytes of one element.
    package var size: Int { self == .float32 ? 4 : 2 }

    /// The number of this type that is nearest.
    package func rounded(_ x: Float) -> Float {
        switch self {
        case .float32: x
        case .float16: Float(Float16(x))
        case .bfloat16: BFloat16(x).float
        }
    }

    /// The same type as the C kernels name it.
    var kernel: kernels_dtype { kernels_dtype(rawValue: UInt32(rawValue)) }
}

/// A bfloat16 number: the upper half of an IEEE binary32.
package struct BFloat16: Sendable, Equatable {
    /// Sign, eight exponent bits, seven fraction bits.
    package var bits: UInt16

    /// Wraps the given bit pattern.
    package init(bits: UInt16) { self.bits = bits }

    /// Rounds to nearest, ties to even; a NaN stays a quiet NaN.
    package init(_ value: Float) {
        let word = value.bitPattern
        bits =
            value.isNaN
            ? UInt16(truncatingIfNeeded: word >> 16) | 0x40
            : UInt16(truncatingIfNeeded: (word &+ 0x7fff &+ ((word >> 16) & 1)) >> 16)
    }

    /// The exact value.
    package var float: Float { Float(bitPattern: UInt32(bits) << 16) }
}
