/// Random numbers that depend on nothing but a seed and a position, so that a replayed request draws the same ones.
///
/// Each draw hashes (seed, position) with two rounds of the SplitMix64 finalizer (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", 2014).
package enum CounterRandom {
    /// A number in [0, 1) with 53 random bits.
    package static func uniform(seed: UInt64, position: Int) -> Double {
        let mixed = mix(
            mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ mix(UInt64(bitPattern: Int64(position)) &+ 0xD1B5_4A32_D192_ED03))
        return Double(mixed >> 11) * 0x1p-53
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
