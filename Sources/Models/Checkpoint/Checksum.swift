/// A fast 64-bit checksum for finding damage (not for defence against an adversary).
///
/// Eight lanes each fold one 64-bit word per step with operations that are one-to-one in the word and in the lane, and the end
/// folds the lanes one-to-one too: any change confined to one aligned 8-byte word changes the result with certainty, other
/// changes go unnoticed with probability 2^-64. The value depends on the bytes, the length and the seed alone.
package func checksum64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    var lanes = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7) &* laneSpread &+ SIMD8(repeating: seed)
    var (a, b, c, d) = (lanes[0], lanes[1], lanes[2], lanes[3])
    var (e, f, g, h) = (lanes[4], lanes[5], lanes[6], lanes[7])
    let stripes = bytes.count / 64
    if let base = bytes.baseAddress {
        for stripe in 0..<stripes {
            let p = base + stripe &* 64
            a = fold(a, p.loadUnaligned(as: UInt64.self))
            b = fold(b, p.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            c = fold(c, p.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            d = fold(d, p.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
            e = fold(e, p.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
            f = fold(f, p.loadUnaligned(fromByteOffset: 40, as: UInt64.self))
            g = fold(g, p.loadUnaligned(fromByteOffset: 48, as: UInt64.self))
            h = fold(h, p.loadUnaligned(fromByteOffset: 56, as: UInt64.self))
        }
    }
    lanes = SIMD8(a, b, c, d, e, f, g, h)
    var offset = stripes &* 64
    var lane = 0
    while offset < bytes.count {
        var word: UInt64 = 0
        for i in 0..<min(8, bytes.count &- offset) { word |= UInt64(bytes[offset &+ i]) &<< UInt64(8 &* i) }
        lanes[lane] = fold(lanes[lane], word)
        lane += 1
        offset += 8
    }
    var result = UInt64(bytes.count) ^ seed
    for index in 0..<8 { result = fold(result, lanes[index]) }
    result ^= result &>> 32
    result &*= 0x9FB2_1C65_1E98_DF25
    return result ^ (result &>> 29)
}

/// The checksum of a text's UTF-8 bytes.
func checksum64(_ text: String, seed: UInt64 = 0) -> UInt64 {
    var text = text
    return text.withUTF8 { checksum64(UnsafeRawBufferPointer($0), seed: seed) }
}

private let laneSpread = SIMD8<UInt64>(repeating: 0xD1B5_4A32_D192_ED03)

/// One step: one-to-one in `state` for a fixed word and in `word` for a fixed state.
@inline(__always)
private func fold(_ state: UInt64, _ word: UInt64) -> UInt64 {
    let mixed = state ^ word
    return ((mixed &<< 29) | (mixed &>> 35)) &* 0x9E37_79B9_7F4A_7C15 &+ 0x632B_E59B_D9B4_E019
}
