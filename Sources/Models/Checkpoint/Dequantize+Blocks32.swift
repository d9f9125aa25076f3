// Blocks of 32 numbers (ggml "legacy" quants). Low nibbles are the first 16 numbers of a block, high nibbles the last
// 16.

/// Q8_0: half d, then 32 signed bytes q; value q·d.
func dequantizeQ8_0(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 34, out + block &* 32)
        let d = half(p, 0)
        for i in 0..<32 { o[i] = Float(Int32(Int8(truncatingIfNeeded: byte(p, 2 &+ i)))) * d }
    }
}

/// Q4_0: half d, then 16 bytes of nibbles q; value d·(q − 8).
func dequantizeQ4_0(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 18, out + block &* 32)
        let d = half(p, 0)
        for i in 0..<16 {
            let q = byte(p, 2 &+ i)
            o[i] = d * Float(Int32(q & 15) &- 8)
            o[i &+ 16] = d * Float(Int32(q &>> 4) &- 8)
        }
    }
}

/// Q4_1: half d, half m, then 16 bytes of nibbles q; value d·q + m.
func dequantizeQ4_1(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 20, out + block &* 32)
        let (d, m) = (half(p, 0), half(p, 2))
        for i in 0..<16 {
            let q = byte(p, 4 &+ i)
            o[i] = d * Float(Int32(q & 15)) + m
            o[i &+ 16] = d * Float(Int32(q &>> 4)) + m
        }
    }
}

/// Q5_0: half d, 32 high bits, then 16 bytes of low nibbles; value d·(q − 16).
func dequantizeQ5_0(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 22, out + block &* 32)
        let d = half(p, 0)
        let high = p.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
        for i in 0..<16 {
            let q = byte(p, 6 &+ i)
            let (low, upper) = fifthBits(high, i)
            o[i] = d * Float(Int32(UInt32(q & 15) | low) &- 16)
            o[i &+ 16] = d * Float(Int32(UInt32(q &>> 4) | upper) &- 16)
        }
    }
}

/// Q5_1: half d, half m, 32 high bits, then 16 bytes of low nibbles; value d·q + m.
func dequantizeQ5_1(_ source: UnsafeRawPointer, _ blockCount: Int, _ out: UnsafeMutablePointer<Float>) {
    for block in 0..<blockCount {
        let (p, o) = (source + block &* 24, out + block &* 32)
        let (d, m) = (half(p, 0), half(p, 2))
        let high = p.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        for i in 0..<16 {
            let q = byte(p, 8 &+ i)
            let (low, upper) = fifthBits(high, i)
            o[i] = d * Float(Int32(UInt32(q & 15) | low)) + m
            o[i &+ 16] = d * Float(Int32(UInt32(q &>> 4) | upper)) + m
        }
    }
}

/// Bit 4 of number `i` and of number `i + 16` of a block, from its 32 high bits.
@inline(__always)
private func fifthBits(_ high: UInt32, _ i: Int) -> (low: UInt32, upper: UInt32) {
    let shift = UInt32(truncatingIfNeeded: i)
    return (((high &>> shift) & 1) &<< 4, ((high &>> (shift &+ 16)) & 1) &<< 4)
}
