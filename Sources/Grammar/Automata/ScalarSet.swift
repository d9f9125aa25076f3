/// A set of Unicode scalars as ranges: sorted, apart from each other, without surrogates.
struct ScalarSet: Hashable, Sendable {
    /// The ranges in order.
    let ranges: [ClosedRange<UInt32>]

    /// All scalars.
    static let all = ScalarSet([0...0xD7FF, 0xE000...0x10FFFF])
    /// None.
    static let none = ScalarSet([])

    /// Puts ranges into order; surrogates in them are left out.
    init(_ ranges: [ClosedRange<UInt32>]) {
        var parts: [ClosedRange<UInt32>] = []
        for range in ranges {
            if range.lowerBound < 0xD800 { parts.append(range.lowerBound...min(range.upperBound, 0xD7FF)) }
            if range.upperBound > 0xDFFF {
                parts.append(max(range.lowerBound, 0xE000)...min(range.upperBound, 0x10FFFF))
            }
        }
        parts.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<UInt32>] = []
        for part in parts {
            if let last = merged.last, part.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
            } else {
                merged.append(part)
            }
        }
        self.ranges = merged
    }

    /// One scalar.
    init(_ scalar: UInt32) { self.init([scalar...scalar]) }

    /// Whether there is none in it.
    var isEmpty: Bool { ranges.isEmpty }

    /// What is in either.
    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    /// All scalars that are not in it.
    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { gaps.append(next...0x10FFFF) }
        return ScalarSet(gaps)
    }

    /// What is in both.
    func intersection(_ other: ScalarSet) -> ScalarSet {
        var common: [ClosedRange<UInt32>] = []
        var (mine, theirs) = (0, 0)
        while mine < ranges.count, theirs < other.ranges.count {
            let (a, b) = (ranges[mine], other.ranges[theirs])
            if a.overlaps(b) { common.append(a.clamped(to: b)) }
            if a.upperBound < b.upperBound { mine += 1 } else { theirs += 1 }
        }
        return ScalarSet(common)
    }

    /// What is in this and not in the other.
    func subtracting(_ other: ScalarSet) -> ScalarSet { intersection(other.inverted) }
}
