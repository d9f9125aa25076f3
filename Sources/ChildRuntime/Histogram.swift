/// How many values lay below fixed bounds, as Prometheus counts them.
package struct Histogram: Sendable, Equatable {
    /// Upper bounds, inclusive, in ascending order.
    package let bounds: [Double]
    /// Values in each interval: up to the first bound, above the first and up to the second, …, above the last.
    package private(set) var counts: [UInt64]
    package private(set) var sum = 0.0

    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// What another process counted with the same bounds; nil when the counts do not fit them.
    package init?(bounds: [Double], counts: [UInt64], sum: Double) {
        guard counts.count == bounds.count + 1 else { return nil }
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    /// Counts a value, or the same one several times.
    package mutating func observe(_ value: Double, times: Int = 1) {
        guard times > 0 else { return }
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        counts[low] += UInt64(times)
        sum += value * Double(times)
    }

    /// Values in all.
    package var total: UInt64 { counts.reduce(0, +) }
}
