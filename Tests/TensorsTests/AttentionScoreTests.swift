import Glibc
import Tensors
import Testing
import Values

/// What becomes of scores: caps and sinks.
@Suite struct AttentionScoreTests {
    static let shapes = [
        AttentionHeads(query: 4, keyValue: 2, dimension: 20), AttentionHeads(query: 3, keyValue: 1, dimension: 64),
    ]

    @Test(arguments: CacheCase.all) func aCapBendsScoresBeforeTheWindowHidesSome(kernel: CacheCase) {
        let length = 300, cap = 1.5
        for heads in Self.shapes {
            let step = AttentionStep(heads, length: length, dtype: kernel.dtype)
            for before in [nil, 70] {
                var sight = AttentionSight(before: before, after: 0)
                sight.softCap = Float(cap)
                let got = step.run(Compute(isa: kernel.isa, threads: 2), chunks: [0..<length], sight: sight).floats
                for position in [0, 69, 71, 255, 256, 299] {
                    let seen = max(0, position - (before ?? length))..<position + 1
                    let expected = step.expected(position: position, seen: seen) { _, _ in
                        0
                    } turned: {
                        cap * tanh($0 / cap)
                    }
                    let row = got[position * step.width..<(position + 1) * step.width]
                    #expect(zip(row, expected).allSatisfy { abs(Double($0) - $1) <= 3e-6 }, "position \(position)")
                }
            }
        }
    }

    @Test(arguments: CacheCase.all) func aSinkTakesItsShareAndGivesNothing(kernel: CacheCase) {
        let length = 300
        for heads in Self.shapes {
            let step = AttentionStep(heads, length: length, dtype: kernel.dtype)
            let sinks = (0..<heads.query).map { Float([-3, 0.5, 2, 60][$0 % 4]) }
            sinks.withUnsafeBufferPointer { numbers in
                var sight = AttentionSight(before: 130, after: 0)
                sight.sinks = numbers.baseAddress
                for threads in [1, 3] {
                    let compute = Compute(isa: kernel.isa, threads: threads)
                    let got = step.run(compute, chunks: [0..<length], sight: sight).floats
                    for position in [0, 1, 255, 256, 299] {
                        let expected = step.expected(position: position, seen: max(0, position - 130)..<position + 1) {
                            _, _ in
                            0
                        } sink: {
                            Double(sinks[$0])
                        }
                        let row = got[position * step.width..<(position + 1) * step.width]
                        #expect(zip(row, expected).allSatisfy { abs(Double($0) - $1) <= 2e-6 }, "position \(position)")
                        let alone = step.run(compute, chunks: [position..<position + 1], sight: sight).floats
                        #expect(Array(row) == alone, "the bits of a row alone")
                    }
                }
            }
        }
    }
}

/// Norms of rows that ranks share, and caps on logits.
@Suite struct RowPartTests {
    @Test func partsOfARowAreNormalisedByTheWholeRow() {
        var random = SplitMix64(seed: 30)
        let rows = 7, sizes = [5, 33], stride = 50
        let compute = Compute(threads: 2)
        var x = random.floats(rows * stride)
        let given = x, weight = random.floats(33)
        var squares = [Float](repeating: 0, count: rows)
        var total = [Float](repeating: 0, count: rows)
        for (offset, size) in zip([0, 5], sizes) {
            x.withUnsafeBufferPointer {
                compute.sumSquares(
                    $0.baseAddress! + offset, rows: rows, size: size, stride: stride, into: &squares)
            }
            for row in 0..<rows { total[row] += squares[row] }
        }
        x.withUnsafeMutableBufferPointer {
            compute.scaleToNorm(
                $0.baseAddress! + 5, rows: rows, size: 33, stride: stride, squares: total, total: 38, epsilon: 1e-5,
                weight: weight)
        }
        for row in 0..<rows {
            let own = given[row * stride..<row * stride + 38].map(Double.init)
            let factor = 1 / (own.map { $0 * $0 }.reduce(0, +) / 38 + 1e-5).squareRoot()
            for i in 0..<stride {
                let at = row * stride + i, inside = (5..<38).contains(i)
                let expected = inside ? Double(given[at]) * factor * Double(weight[i - 5]) : Double(given[at])
                #expect(abs(Double(x[at]) - expected) <= 2e-6)
            }
        }
    }

    @Test(arguments: presentLevels) func aCapBendsSmallAndLargeNumbersByTheHyperbolicTangent(isa: KernelISA) {
        let numbers: [Float] = [0, 1e-6, -1e-3, 0.1, -0.3, 1, -2.5, 7, 29, -31, 400, -1e30, .infinity]
        for count in [1, 7, 13, 9000] {
            let given = (0..<count).map { numbers[$0 % numbers.count] }
            var x = given
            Compute(isa: isa, threads: 2).cap(&x, count: count, scale: 0.5, cap: 30)
            for (found, number) in zip(x, given) {
                let expected = 30 * tanh(Double(number) * 0.5 / 30)
                #expect(abs(Double(found) - expected) <= 1e-6 * abs(expected), "\(number)")
            }
        }
    }

    @Test func factorsAloneAreProducts() {
        var x: [Float] = [1, -2, 3]
        Compute(threads: 1).cap(&x, count: 3, scale: 4, cap: nil)
        #expect(x == [4, -8, 12])
    }
}
