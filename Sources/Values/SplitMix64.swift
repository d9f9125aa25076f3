/// Random numbers that a seed reproduces, the same on every machine (SplitMix64; Steele, Lea, Flood: "Fast splittable
/// pseudorandom number generators", 2014).
///
/// Answers, schedules and tests depend on the streams: they must never change.
package struct SplitMix64: RandomNumberGenerator, Sendable, Equatable {
    @usableFromInline var state: UInt64

    /// What the counter advances by: 2⁶⁴ divided by the golden ratio.
    package static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// Begins the sequence of a seed.
    @inlinable
    package init(seed: UInt64) { state = seed }

    /// The next 64 random bits.
    @inlinable
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// A number from 0 to just below 1 with 53 random bits.
    @inlinable
    package mutating func unit() -> Double { Self.unit(next()) }

    /// The finalizer: a number each bit of which depends on every bit of `value`.
    @inlinable
    package static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }

    /// The upper 53 bits as a number from 0 to just below 1.
    @inlinable
    package static func unit(_ bits: UInt64) -> Double { Double(bits &>> 11) * 0x1p-53 }
}
