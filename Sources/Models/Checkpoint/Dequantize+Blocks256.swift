// Super-blocks of 256 numbers (ggml "k-quants"): sub-blocks have small integer scales of their own.

/// Scale and minimum of sub-block `j` (0..<8) from the 12 bytes of 6-bit pairs of Q4_K and Q5_K.
@inline(__always)
private func scaleAndMinimum(_ scales: UnsafeRawPointer, _ j: Int) -> (scale: UInt8, minimum: UInt8) {
    if j < 4 { return (byte(scales, j) & 63, byte(scales, j &+ 4) & 63) }
    let packed = byte(scales, j &+ 4)
    return (
        (packed & 15) | ((byte(scales, j &- 4) &>> 6) &<< 4),
        (packed &>> 4) | ((byte(scales, j) &>> 6) &<< 4)
    )
}

/// Q4_K: half d, half dmin, 12 bytes of scales, 128 bytes of nibbles; value (d·scale)·q − dmin·minimum.
func dequantizeQ4_K(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 144, out + block &* 256)
        let (d, dmin) = (half(p, 0), half(p, 2))
        for pair in 0..<4 {
            let (low, high) = (scaleAndMinimum(p + 4, 2 &* pair), scaleAndMinimum(p + 4, 2 &* pair &+ 1))
            let (d1, m1) = (d * Float(low.scale), dmin * Float(low.minimum))
            let (d2, m2) = (d * Float(high.scale), dmin * Float(high.minimum))
            let (q, r) = (p + (16 &+ pair &* 32), o + pair &* 64)
            for i in 0..<32 {
                let v = byte(q, i)
                r[i] = d1 * Float(Int32(v & 15)) - m1
                r[i &+ 32] = d2 * Float(Int32(v &>> 4)) - m2
            }
        }
    }
}

/// Q5_K: as Q4_K with 32 bytes of fifth bits between scales and nibbles (bit j of byte i belongs to number i of
/// sub-block j).
func dequantizeQ5_K(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 176, out + block &* 256)
        let (d, dmin) = (half(p, 0), half(p, 2))
        for pair in 0..<4 {
            let (low, high) = (scaleAndMinimum(p + 4, 2 &* pair), scaleAndMinimum(p + 4, 2 &* pair &+ 1))
            let (d1, m1) = (d * Float(low.scale), dmin * Float(low.minimum))
            let (d2, m2) = (d * Float(high.scale), dmin * Float(high.minimum))
            let (q, r) = (p + (48 &+ pair &* 32), o + pair &* 64)
            let shift = UInt8(truncatingIfNeeded: 2 &* pair)
            for i in 0..<32 {
                let v = byte(q, i)
                let fifth = byte(p, 16 &+ i) &>> shift
                r[i] = d1 * Float(Int32((v & 15) | ((fifth & 1) &<< 4))) - m1
                r[i &+ 32] = d2 * Float(Int32((v &>> 4) | ((fifth & 2) &<< 3))) - m2
            }
        }
    }
}

/// Q6_K: 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed scales, half d; value (d·scale)·(q − 32).
func dequantizeQ6_K(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 210, out + block &* 256)
        let d = half(p, 208)
        for side in 0..<2 {
            let (low, high) = (p + side &* 64, p + (128 &+ side &* 32))
            let (scales, r) = (p + (192 &+ side &* 8), o + side &* 128)
            for group in 0..<2 {
                let first = group &* 16
                let s0 = d * Float(Int8(truncatingIfNeeded: byte(scales, group)))
                let s1 = d * Float(Int8(truncatingIfNeeded: byte(scales, group &+ 2)))
                let s2 = d * Float(Int8(truncatingIfNeeded: byte(scales, group &+ 4)))
                let s3 = d * Float(Int8(truncatingIfNeeded: byte(scales, group &+ 6)))
                for i in first..<first &+ 16 {
                    let (a, b, h) = (byte(low, i), byte(low, i &+ 32), byte(high, i))
                    r[i] = s0 * Float(Int32((a & 15) | ((h & 3) &<< 4)) &- 32)
                    r[i &+ 32] = s1 * Float(Int32((b & 15) | ((h & 12) &<< 2)) &- 32)
                    r[i &+ 64] = s2 * Float(Int32((a &>> 4) | (h & 48)) &- 32)
                    r[i &+ 96] = s3 * Float(Int32((b &>> 4) | ((h & 192) &>> 2)) &- 32)
                }
            }
        }
    }
}
