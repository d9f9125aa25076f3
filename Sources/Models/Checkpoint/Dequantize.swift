internal import Tensors

/// Converts stored blocks to float32, value for value as ggml's reference code and gguf-py do.
///
/// `source` holds `blockCount` blocks of `type` with no alignment; `out` takes `blockCount * type.blockElements`
/// numbers.
/// Every product and sum is one rounded float32 operation in the order of the reference, so results are equal bit for
/// bit.
/// Integer types are not numbers by themselves and must not come here.
func dequantize(
    _ type: WeightType, from source: UnsafeRawPointer, blockCount: Int, into out: UnsafeMutablePointer<Float>
) {
    switch type {
    case .float32:
        out.withMemoryRebound(to: UInt8.self, capacity: blockCount * 4) {
            UnsafeMutableRawPointer($0).copyMemory(from: source, byteCount: blockCount * 4)
        }
    case .float64:
        for i in 0..<blockCount { out[i] = Float(source.loadUnaligned(fromByteOffset: i &* 8, as: Double.self)) }
    case .float16:
        for i in 0..<blockCount {
            out[i] = floatFromHalf(source.loadUnaligned(fromByteOffset: i &* 2, as: UInt16.self))
        }
    case .bfloat16:
        for i in 0..<blockCount {
            let bits = source.loadUnaligned(fromByteOffset: i &* 2, as: UInt16.self)
            out[i] = Float(bitPattern: UInt32(bits) &<< 16)
        }
    case .float8E5M2:
        // E5M2 is the upper byte of a half.
        for i in 0..<blockCount { out[i] = floatFromHalf(UInt16(byte(source, i)) &<< 8) }
    case .float8E4M3:
        for i in 0..<blockCount { out[i] = floatFromE4M3(byte(source, i)) }
    case .q8_0: dequantizeQ8_0(source, blockCount, out)
    case .q4_0: dequantizeQ4_0(source, blockCount, out)
    case .q4_1: dequantizeQ4_1(source, blockCount, out)
    case .q5_0: dequantizeQ5_0(source, blockCount, out)
    case .q5_1: dequantizeQ5_1(source, blockCount, out)
    case .q4_K: dequantizeQ4_K(source, blockCount, out)
    case .q5_K: dequantizeQ5_K(source, blockCount, out)
    case .q6_K: dequantizeQ6_K(source, blockCount, out)
    case .q2_K, .q3_K, .iq4_nl, .iq4_xs, .mxfp4:
        type.blockKind!.dequantize(source, count: blockCount, into: out)
    case .int64, .int32, .int16, .int8, .uint8, .bool:
        preconditionFailure("integer tensors are refused before their bytes are read")
    case .scaledFloat8: preconditionFailure("scales are kept elsewhere")
    }
}

/// IEEE half to float32, exactly, without a library call (the baseline x86-64 of the build has no conversion
/// instruction).
///
/// Subnormal halves take a subtraction of two normal numbers, so the result does not depend on flush-to-zero modes.
@inline(__always)
func floatFromHalf(_ half: UInt16) -> Float {
    let magnitude = (UInt32(half) & 0x7FFF) &<< 13
    let sign = (UInt32(half) & 0x8000) &<< 16
    let isSubnormal = magnitude < 0x0080_0000
    let isSpecial = magnitude >= 0x0F80_0000
    let rebias: UInt32 = isSpecial ? 0x7000_0000 : 0x3800_0000
    let normal = magnitude &+ rebias
    let subnormal = (Float(bitPattern: magnitude &+ 0x3880_0000) - Float(bitPattern: 0x3880_0000)).bitPattern
    return Float(bitPattern: (isSubnormal ? subnormal : normal) | sign)
}

/// Float8 E4M3 ("fn": no infinities, 0x7F and 0xFF are NaN) to float32, exactly.
@inline(__always)
func floatFromE4M3(_ bits: UInt8) -> Float {
    let sign = (UInt32(bits) & 0x80) &<< 24
    let magnitude = UInt32(bits) & 0x7F
    if magnitude == 0x7F { return Float(bitPattern: sign | 0x7FC0_0000) }
    let value: Float
    if magnitude < 8 {
        value = Float(magnitude) * Float(bitPattern: 0x3B00_0000)  // 2^-9 for each step of a subnormal
    } else {
        value = Float(bitPattern: (magnitude &<< 20) &+ 0x3C00_0000)  // bias 7 to bias 127
    }
    return Float(bitPattern: value.bitPattern | sign)
}

/// Byte `index` of the source.
@inline(__always)
func byte(_ source: UnsafeRawPointer, _ index: Int) -> UInt8 {
    source.load(fromByteOffset: index, as: UInt8.self)
}

/// The half at byte `index` of the source.
@inline(__always)
func half(_ source: UnsafeRawPointer, _ index: Int) -> Float {
    floatFromHalf(source.loadUnaligned(fromByteOffset: index, as: UInt16.self))
}
