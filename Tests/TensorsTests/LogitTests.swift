import Tensors
import Testing
import Values

@Suite struct LogitTests {
    static let lengths = [1, 7, 8, 9, 15, 16, 17, 33, 255, 256, 257, 1000, 49157]

    @Test(arguments: presentLevels) func argmaxTakesTheLowestOfEqual(isa: KernelISA) {
        var random = SplitMix64(seed: 20)
        let compute = Compute(isa: isa, threads: 2)
        for size in Self.lengths {
            var x = random.floats(5 * size)
            for at in [size - 1, size / 2, size / 3] { x[size + at] = 7 }
            for i in 0..<size { x[3 * size + i] = -.infinity }
            x[4 * size + size - 1] = .nan
            var out = [Int32](repeating: 0, count: 5)
            compute.argmax(x, rows: 5, size: size, into: &out)
            let first = x[0..<size]
            #expect(Int(out[0]) == first.firstIndex(of: first.max() ?? 0))
            #expect(Int(out[1]) == size / 3)
            #expect(out[3] == -1)
            #expect(out[4] == -1)
        }
    }

    @Test(arguments: presentLevels) func logSumsMatchTheirDefinition(isa: KernelISA) {
        var random = SplitMix64(seed: 21)
        let compute = Compute(isa: isa, threads: 2)
        for size in Self.lengths {
            for scale in [Float(1), 0.5, 3] {
                var x = random.floats(3 * size, scale: 20)
                x[size] = -.infinity
                x[2 * size] = .nan
                var normalizers = Array(repeating: LogNormalizer(), count: 3)
                compute.logNormalizers(x, rows: 3, size: size, scale: scale, into: &normalizers)
                let out = normalizers.map(\.logSum)
                for row in 0..<2 {
                    let values = x[row * size..<(row + 1) * size].map { Double($0) * Double(scale) }
                    let top = values.max() ?? 0
                    if top == -.infinity {
                        #expect(out[row] == -.infinity)
                        continue
                    }
                    let expected = logarithm(values.map { exponential($0 - top) }.reduce(0, +)) + top
                    #expect(abs(Double(out[row]) - expected) <= 1e-6 * max(4, abs(expected)), "size \(size)")
                }
                #expect(out[2].isNaN)
                #expect(normalizers[0].logProbability(of: x[size - 1]) == x[size - 1] * scale - out[0])
            }
        }
    }

    @Test(arguments: presentLevels) func softmaxSumsToOneAndMatches(isa: KernelISA) {
        var random = SplitMix64(seed: 22)
        let compute = Compute(isa: isa, threads: 2)
        for size in Self.lengths {
            var x = random.floats(2 * size, scale: 30)
            let original = x
            x.withUnsafeMutableBufferPointer {
                guard let base = $0.baseAddress else { return }
                compute.softmax(base, rows: 2, size: size, into: base)
            }
            for row in 0..<2 {
                let values = original[row * size..<(row + 1) * size], top = values.max() ?? 0
                // The distance to the top is rounded to float32 once; that is the caller's number, not an error.
                let weights = values.map { exponential(Double($0 - top)) }, sum = weights.reduce(0, +)
                let good = zip(x[row * size..<(row + 1) * size], weights).allSatisfy {
                    abs(Double($0) - $1 / sum) <= 1e-6 * $1 / sum + 1e-44
                }
                #expect(good, "size \(size)")
            }
        }
    }

    @Test(arguments: presentLevels) func exponentialIsAccurateOverItsRange(isa: KernelISA) {
        // A softmax over one far smaller and one zero logit exposes exp(x) itself: its sum is 1 + e^x.
        let compute = Compute(isa: isa, threads: 1)
        for step in 0..<2000 {
            let x = -Float(step) * 0.0531
            var out: [Float] = [0, x, .nan]
            out.withUnsafeMutableBufferPointer {
                guard let base = $0.baseAddress else { return }
                compute.softmax(base, rows: 1, size: 2, into: base)
            }
            let expected = exponential(Double(x)) / (1 + exponential(Double(x)))
            #expect(abs(Double(out[1]) - expected) <= 2.5e-7 * expected + 2e-45, "\(x)")
            #expect(out[2].isNaN)
        }
    }

    @Test(arguments: presentLevels) func softmaxScalesEachRowByItsOwn(isa: KernelISA) {
        var random = SplitMix64(seed: 23)
        let compute = Compute(isa: isa, threads: 2)
        let x = random.floats(3 * 37, scale: 9), scales: [Float] = [0.5, 2, 1]
        var out = [Float](repeating: 0, count: x.count), plain = out
        compute.softmax(x, rows: 3, size: 37, scales: scales, into: &out)
        compute.softmax(x.indices.map { x[$0] * scales[$0 / 37] }, rows: 3, size: 37, into: &plain)
        #expect(bits(out) == bits(plain))
        var same = x
        same.withUnsafeMutableBufferPointer {
            guard let base = $0.baseAddress else { return }
            compute.softmax(base, rows: 3, size: 37, scales: scales, into: base)
        }
        #expect(bits(same) == bits(out))
    }

    @Test(arguments: presentLevels) func findsANaNAnywhere(isa: KernelISA) {
        let compute = Compute(isa: isa, threads: 2)
        for size in 1...40 {
            var x = [Float](repeating: .infinity, count: size * (size + 1))
            for row in 0..<size { x[row * size + row] = row % 2 == 0 ? .nan : -.nan }
            var out = [Int32](repeating: 0, count: size + 1)
            compute.argmax(x, rows: size + 1, size: size, into: &out)
            #expect(out == [Int32](repeating: -1, count: size) + [0])
        }
    }

    @Test(arguments: presentLevels) func topKIsASortedPrefix(isa: KernelISA) {
        var random = SplitMix64(seed: 24)
        let compute = Compute(isa: isa, threads: 2)
        for size in Self.lengths {
            // Few distinct values, so that there are ties at every cut.
            let x = (0..<size).map { _ in Float(Int.random(in: 0..<50, using: &random)) }
            let order = x.indices.sorted { x[$0] > x[$1] || (x[$0] == x[$1] && $0 < $1) }
            for count in [0, 1, 2, 20, 64, size, size + 3] {
                var values = [Float](repeating: 0, count: count), indices = [Int32](repeating: 0, count: count)
                let found = compute.topK(x, size: size, count: count, values: &values, indices: &indices)
                #expect(found == min(count, size))
                #expect(indices.prefix(found).map(Int.init) == Array(order.prefix(found)))
                #expect(Array(values.prefix(found)) == order.prefix(found).map { x[$0] })
            }
        }
    }

    @Test(arguments: presentLevels) func topKNeverChoosesNaN(isa: KernelISA) {
        var x = [Float](repeating: .nan, count: 100)
        x[40] = -.infinity
        x[90] = 3
        var values = [Float](repeating: 0, count: 10), indices = [Int32](repeating: 0, count: 10)
        let compute = Compute(isa: isa, threads: 1)
        #expect(compute.topK(x, size: 100, count: 10, values: &values, indices: &indices) == 2)
        #expect(indices.prefix(2) == [90, 40])
        #expect(compute.topK(x, size: 100, count: 1, values: &values, indices: &indices) == 1)
        #expect(indices[0] == 90)
    }
}
