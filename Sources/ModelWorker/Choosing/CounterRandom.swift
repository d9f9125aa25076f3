internal import Values

/// Random numbers that depend on nothing but a seed and a position, so that a replayed request draws the same ones.
///
/// Each draw hashes (seed, position) with two rounds of the finalizer of `SplitMix64`.
package enum CounterRandom {
    /// A number in [0, 1) with 53 random bits.
    package static func uniform(seed: UInt64, position: Int) -> Double {
        let place = SplitMix64.mixed(UInt64(bitPattern: Int64(position)) &+ 0xD1B5_4A32_D192_ED03)
        return SplitMix64.unit(SplitMix64.mixed(SplitMix64.mixed(seed &+ SplitMix64.increment) ^ place))
    }
}
