import Tensors
import Testing
import Values

/// Rows of logits at the ends of float32, as biases, forbidden tokens and tiny temperatures make them.
@Suite struct ExtremeLogitTests {
    /// A row of two kinds of logits: ids 0 and every third are favoured, the others are not.
    struct Case: Sendable, CustomTestStringConvertible {
        var favoured: Float
        var others: Float
        var scale: Float
        /// What the others get, each in relation to a favoured one.
        var ratio: Double

        var testDescription: String { "\(favoured) against \(others) times \(scale)" }
    }

    static let huge = Float.greatestFiniteMagnitude

    static let cases: [Case] = [
        Case(favoured: .infinity, others: 1, scale: 1, ratio: 0),
        Case(favoured: .infinity, others: huge, scale: 100, ratio: 0),
        Case(favoured: .infinity, others: -.infinity, scale: 0, ratio: 0),
        Case(favoured: 1, others: -.infinity, scale: 1, ratio: 0),
        Case(favoured: 1, others: -.infinity, scale: 0, ratio: 0),
        Case(favoured: -5, others: -.infinity, scale: .infinity, ratio: 0),
        Case(favoured: 0, others: -.infinity, scale: huge, ratio: 0),
        Case(favoured: huge, others: 0, scale: 1, ratio: 0),
        Case(favoured: huge, others: -huge, scale: 1, ratio: 0),
        Case(favoured: huge, others: -huge, scale: huge, ratio: 0),
        // Scaled, none of these is a float32.
        Case(favoured: 3e38, others: 2e38, scale: 100, ratio: 0),
        Case(favoured: 3e38, others: 3e38, scale: 100, ratio: 1),
        Case(favoured: -2e38, others: -3e38, scale: 1e6, ratio: 0),
        Case(favoured: -2e38, others: -2e38, scale: 1e6, ratio: 1),
        Case(favoured: 3, others: 2, scale: .infinity, ratio: 0),
        Case(favoured: 3, others: -1e30, scale: .leastNonzeroMagnitude, ratio: 1),
        Case(favoured: 3, others: 2, scale: 0, ratio: 1),
        // Ordinary ones, by the same rules.
        Case(favoured: 3, others: 2, scale: 1, ratio: exponential(-1)),
        Case(favoured: 1e30, others: 1e30, scale: 0.5, ratio: 1),
    ]

    static let sizes = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 255, 257, 1031]

    private static func row(_ subject: Case, size: Int) -> [Float] {
        (0..<size).map { $0 % 3 == 0 ? subject.favoured : subject.others }
    }

    @Test(arguments: presentLevels, cases)
    func theFavouredGetTheProbabilityAndTheForbiddenNone(isa: KernelISA, subject: Case) {
        let compute = Compute(isa: isa, threads: 2)
        for size in Self.sizes {
            var x = Self.row(subject, size: size), scales = subject.scale
            let favoured = (size + 2) / 3
            let total = Double(favoured) + subject.ratio * Double(size - favoured)
            x.withUnsafeMutableBufferPointer {
                guard let base = $0.baseAddress else { return }
                compute.softmax(base, rows: 1, size: size, scales: &scales, into: base)
            }
            let good = x.indices.allSatisfy { id in
                let expected = (id % 3 == 0 ? 1 : subject.ratio) / total
                return expected == 0 ? x[id] == 0 : abs(Double(x[id]) - expected) <= 2e-6 * expected
            }
            #expect(good, "size \(size): \(x.prefix(4))")
            var best: Int32 = -1
            compute.argmax(x, rows: 1, size: size, into: &best)
            #expect(best == 0)
        }
    }

    @Test(arguments: presentLevels, cases)
    func logProbabilitiesAreNumbersOrMinusInfinity(isa: KernelISA, subject: Case) {
        let compute = Compute(isa: isa, threads: 2)
        for size in Self.sizes {
            let x = Self.row(subject, size: size)
            let favoured = (size + 2) / 3
            let total = logarithm(Double(favoured) + subject.ratio * Double(size - favoured))
            var normalizer = LogNormalizer()
            compute.logNormalizers(x, rows: 1, size: size, scale: subject.scale, into: &normalizer)
            // What float32 leaves of the sum's own size is lost in the difference.
            let loss = normalizer.logSum.isFinite ? 4e-7 * Double(abs(normalizer.logSum)) : 0
            #expect(abs(Double(normalizer.logProbability(of: x[0])) + total) <= 1e-6 + loss, "size \(size)")
            guard size > 1 else { continue }
            let other = Double(normalizer.logProbability(of: x[1]))
            #expect(!other.isNaN)
            if subject.others == -.infinity || subject.favoured == .infinity { #expect(other == -.infinity) }
            if subject.ratio > 0 {
                #expect(abs(other - (logarithm(subject.ratio) - total)) <= 2e-6 + loss, "size \(size)")
            } else {
                #expect(other < -1e6)
            }
        }
    }

    @Test(arguments: presentLevels) func aRowInWhichAllIsForbiddenHasNoDistribution(isa: KernelISA) {
        let compute = Compute(isa: isa, threads: 2)
        for size in Self.sizes {
            let x = [Float](repeating: -.infinity, count: size)
            var out = x, best: Int32 = 0, normalizer = LogNormalizer()
            compute.argmax(x, rows: 1, size: size, into: &best)
            #expect(best == -1)
            for scale in [Float(0), 1, .infinity] {
                var scales = scale
                compute.softmax(x, rows: 1, size: size, scales: &scales, into: &out)
                #expect(out.allSatisfy { $0.isNaN })
                compute.logNormalizers(x, rows: 1, size: size, scale: scale, into: &normalizer)
                #expect(normalizer.logProbability(of: -.infinity).isNaN)
            }
        }
    }

    @Test(arguments: presentLevels) func infinitiesGiveTheSameBitsOnEveryLevel(isa: KernelISA) {
        let compute = Compute(isa: isa, threads: 2), scalar = scalarCompute()
        for subject in Self.cases where subject.ratio == 0 {
            for size in Self.sizes {
                let x = Self.row(subject, size: size)
                var scales = subject.scale, out = x, expected = x
                compute.softmax(x, rows: 1, size: size, scales: &scales, into: &out)
                scalar.softmax(x, rows: 1, size: size, scales: &scales, into: &expected)
                #expect(bits(out) == bits(expected), "\(subject.testDescription), size \(size)")
            }
        }
    }

    @Test(arguments: presentLevels) func topKPutsPlusInfinityFirst(isa: KernelISA) {
        var x = [Float](repeating: ExtremeLogitTests.huge, count: 100)
        x[70] = .infinity
        x[71] = .infinity
        var values: [Float] = [0, 0, 0], indices: [Int32] = [0, 0, 0]
        #expect(Compute(isa: isa, threads: 1).topK(x, size: 100, count: 3, values: &values, indices: &indices) == 3)
        #expect(indices == [70, 71, 0])
    }
}
