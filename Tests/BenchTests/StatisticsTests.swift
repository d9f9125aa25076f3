import Bench
import Testing

@Suite struct StatisticsTests {
    @Test func percentilesInterpolateBetweenNeighbours() {
        let values = [10.0, 20, 30, 40]
        #expect(percentile(values, 0) == 10)
        #expect(percentile(values, 50) == 25)
        #expect(abs(percentile(values, 90) - 37) < 1e-12)
        #expect(percentile(values, 100) == 40)
        #expect(percentile([7], 99) == 7)
        #expect(percentile([], 50) == 0)
    }

    @Test func summaryTakesValuesInAnyOrder() {
        let summary = Summary((1...101).map { Double(($0 * 37) % 101) })
        #expect(summary.count == 101)
        #expect(summary.mean == 50)
        #expect(summary.p50 == 50)
        #expect(abs(summary.p90 - 90) < 1e-12)
        #expect(abs(summary.p99 - 99) < 1e-12)
    }

    @Test func leastSquaresFindsTheUnknownsBehindExactTargets() throws {
        // Columns that differ by ten orders of magnitude, as bytes and seconds do.
        let rows = (0..<8).map { [1.0, Double($0 * $0), 1e10 * Double($0 % 3)] }
        let targets = rows.map { 0.5 * $0[0] - 2 * $0[1] + 3e-10 * $0[2] }
        let found = try #require(leastSquares(rows, targets: targets))
        for (value, wanted) in zip(found, [0.5, -2, 3e-10]) { #expect(abs(value / wanted - 1) < 1e-9) }
    }

    @Test func leastSquaresAveragesWhatDisagrees() throws {
        let found = try #require(leastSquares([[1], [1], [1]], targets: [1, 2, 6]))
        #expect(abs(found[0] - 3) < 1e-12)
    }

    @Test(arguments: [[[1.0, 2], [2, 4], [3, 6]], [[1, 0], [1, 0]], [[1, 2]], []])
    func leastSquaresRefusesWhatItCannotTellApart(rows: [[Double]]) {
        #expect(leastSquares(rows, targets: rows.map { _ in 1 }) == nil)
    }

    @Test(arguments: [(1.005, 1, "1.0"), (-0.26, 1, "-0.3"), (-0.01, 1, "0.0"), (12.5, 0, "13"), (0.071, 2, "0.07")])
    func decimalsAreRounded(value: Double, digits: Int, text: String) {
        #expect(decimal(value, digits) == text)
    }
}
