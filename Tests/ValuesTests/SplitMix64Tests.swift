import Testing
import Values

/// The streams are part of every answer with a seed: they must never change.
@Suite struct SplitMix64Tests {
    @Test func aSeedGivesThePublishedStream() {
        var random = SplitMix64(seed: 1_234_567)
        let stream = (0..<5).map { _ in random.next() }
        #expect(
            stream == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func theStreamIsTheFinalizerOfACounter() {
        var random = SplitMix64(seed: 42)
        for step in 1...100 {
            #expect(random.next() == SplitMix64.mixed(42 &+ UInt64(step) &* SplitMix64.increment))
        }
    }

    @Test func unitsAreTheUpperBitsAndStayBelowOne() {
        #expect(SplitMix64.unit(.max) == 1 - 0x1p-53)
        #expect(SplitMix64.unit(0) == 0)
        #expect(SplitMix64.unit(1 << 63) == 0.5)
        var (bits, units) = (SplitMix64(seed: 7), SplitMix64(seed: 7))
        for _ in 0..<100 { #expect(units.unit() == Double(bits.next() >> 11) / Double(1 << 53)) }
    }
}
