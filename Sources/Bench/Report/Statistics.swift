/// The middle value, or the mean of the two in the middle; 0 of none.
package func median(_ values: [Double]) -> Double { percentile(values.sorted(), 50) }

/// The value below which `percent` of ascending values lie, interpolated between neighbours; 0 of none.
package func percentile(_ sorted: [Double], _ percent: Double) -> Double {
    guard let last = sorted.indices.last else { return 0 }
    let place = min(max(percent / 100, 0), 1) * Double(last)
    let below = Int(place)
    let above = min(below + 1, last)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
}

/// Mean and percentiles of measurements.
package struct Summary: Equatable {
    /// How many there are.
    package let count: Int
    /// Their sum over their number.
    package let mean: Double
    /// The median.
    package let p50: Double
    /// Nine in ten lie below.
    package let p90: Double
    /// 99 in 100 lie below.
    package let p99: Double

    /// Summarises values in any order; all zero of none.
    package init(_ values: [Double]) {
        let sorted = values.sorted()
        count = sorted.count
        mean = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
        p50 = percentile(sorted, 50)
        p90 = percentile(sorted, 90)
        p99 = percentile(sorted, 99)
    }
}

/// The unknowns that explain `targets` best as sums of the rows' entries, by least squares; nil when the rows do not
/// determine them.
package func leastSquares(_ rows: [[Double]], targets: [Double]) -> [Double]? {
    guard let unknowns = rows.first?.count, rows.count >= unknowns else { return nil }
    // Entries of very different size would drown each other in the products, so columns are brought to length one.
    let scales = (0..<unknowns).map { column in
        rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
    }
    guard scales.allSatisfy({ $0 > 0 }) else { return nil }
    // The normal equations, with the right side as the last column.
    var system = (0..<unknowns).map { i in
        (0..<unknowns).map { j in
            rows.reduce(0) { $0 + $1[i] * $1[j] } / (scales[i] * scales[j])
        } + [zip(rows, targets).reduce(0) { $0 + $1.0[i] * $1.1 } / scales[i]]
    }
    for column in 0..<unknowns {
        let pivot = (column..<unknowns).max { abs(system[$0][column]) < abs(system[$1][column]) } ?? column
        guard abs(system[pivot][column]) > 1e-9 else { return nil }
        system.swapAt(column, pivot)
        for row in 0..<unknowns where row != column {
            let factor = system[row][column] / system[column][column]
            for entry in column...unknowns { system[row][entry] -= factor * system[column][entry] }
        }
    }
    return (0..<unknowns).map { system[$0][unknowns] / system[$0][$0] / scales[$0] }
}
