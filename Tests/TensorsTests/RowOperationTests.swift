import Tensors
import Testing
import Values

@Suite struct RowOperationTests {
    static let lengths = [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 577]

    @Test(arguments: KernelCase.all) func rmsNormMatchesItsDefinition(kernel: KernelCase) {
        var random = SplitMix64(seed: 10)
        let compute = Compute(isa: kernel.isa, threads: 2)
        for size in Self.lengths {
            let rows = 60
            let x = random.floats(rows * size, scale: 3), weight = random.floats(size)
            let out = TypedArray(zeros: rows * size, kernel.dtype)
            compute.rmsNorm(
                x, rows: rows, size: size, weight: weight, epsilon: 1e-5, dtype: kernel.dtype, into: out.pointer)
            let expected = (0..<rows).flatMap { row in
                let values = x[row * size..<(row + 1) * size].map(Double.init)
                let scale = 1 / (values.map { $0 * $0 }.reduce(0, +) / Double(size) + Double(Float(1e-5))).squareRoot()
                return zip(values, weight).map { Float($0 * scale * Double($1)) }
            }
            let unit: Float = kernel.dtype == .float32 ? 2e-6 : kernel.dtype == .float16 ? 5e-4 : 4e-3
            let good = zip(out.floats, expected).allSatisfy { abs($0 - $1) <= unit * abs($1) + 1e-7 }
            #expect(good, "size \(size)")
        }
    }

    @Test(arguments: KernelCase.all) func rmsNormOfARowAloneHasTheSameBits(kernel: KernelCase) {
        var random = SplitMix64(seed: 11)
        let size = 577, rows = 90
        let x = random.floats(rows * size), weight = random.floats(size)
        let together = TypedArray(zeros: rows * size, kernel.dtype)
        Compute(isa: kernel.isa, threads: 3).rmsNorm(
            x, rows: rows, size: size, weight: weight, epsilon: 1e-6, dtype: kernel.dtype, into: together.pointer)
        let one = Compute(isa: kernel.isa, threads: 1)
        for row in 0..<rows {
            let alone = TypedArray(zeros: size, kernel.dtype)
            one.rmsNorm(
                Array(x[row * size..<(row + 1) * size]), rows: 1, size: size, weight: weight, epsilon: 1e-6,
                dtype: kernel.dtype, into: alone.pointer)
            let bytes = size * kernel.dtype.size
            #expect(alone.bytes == Array(together.bytes[row * bytes..<(row + 1) * bytes]))
        }
    }

    @Test(arguments: KernelCase.all) func gathersRowsByIndex(kernel: KernelCase) {
        var random = SplitMix64(seed: 12)
        let source = TypedArray(random.floats(9 * 5), kernel.dtype)
        let indices: [Int32] = [8, 0, 3, 3]
        let out = TypedArray(zeros: indices.count * 5, kernel.dtype)
        Compute(isa: kernel.isa, threads: 2).gatherRows(
            source.pointer, indices: indices, count: indices.count, size: 5, dtype: kernel.dtype, into: out.pointer)
        #expect(out.floats == indices.flatMap { source.floats[Int($0) * 5..<(Int($0) + 1) * 5] })
    }

    struct RopeCase: Sendable {
        var heads: AttentionHeads
        var rotaryDimension: Int
        var normed: Bool
        /// Whether neighbours are rotated, and queries grow with their position.
        var isInterleaved = false
    }

    static let ropeCases = [
        RopeCase(heads: .init(query: 3, keyValue: 1, dimension: 16), rotaryDimension: 16, normed: false),
        RopeCase(heads: .init(query: 4, keyValue: 2, dimension: 24), rotaryDimension: 24, normed: true),
        RopeCase(heads: .init(query: 2, keyValue: 2, dimension: 80), rotaryDimension: 32, normed: true),
        RopeCase(heads: .init(query: 8, keyValue: 2, dimension: 64), rotaryDimension: 64, normed: false),
        RopeCase(heads: .init(query: 2, keyValue: 1, dimension: 128), rotaryDimension: 6, normed: true),
        RopeCase(
            heads: .init(query: 3, keyValue: 1, dimension: 12), rotaryDimension: 12, normed: false, isInterleaved: true),
        RopeCase(
            heads: .init(query: 2, keyValue: 2, dimension: 100), rotaryDimension: 50, normed: true, isInterleaved: true),
    ]

    @Test(arguments: CacheCase.all) func normsRotatesAndStores(kernel: CacheCase) {
        for shape in Self.ropeCases { checkRope(kernel, shape) }
    }

    private func checkRope(_ kernel: CacheCase, _ shape: RopeCase) {
        var random = SplitMix64(seed: 13)
        let heads = shape.heads, dim = heads.dimension, half = shape.rotaryDimension / 2, rows = 50
        let qkv = random.floats(rows * heads.fusedSize)
        let positions = (0..<rows).map { Int32(($0 * 7) % 20) }, slots = (0..<rows).map { Int32(rows - 1 - $0) }
        let cosines = random.floats(20 * half), sines = random.floats(20 * half)
        let queryWeight = random.floats(dim), keyWeight = random.floats(dim)
        let factors = random.floats(20)
        let cache = CacheMemory(heads, slots: rows, dtype: kernel.dtype)
        var query = [Float](repeating: 0, count: rows * heads.query * dim)
        cosines.withUnsafeBufferPointer { c in
            sines.withUnsafeBufferPointer { s in
                queryWeight.withUnsafeBufferPointer { q in
                    keyWeight.withUnsafeBufferPointer { k in
                        guard let c = c.baseAddress, let s = s.baseAddress else { return }
                        var table = RotaryTable(
                            cosines: c, sines: s, rotaryDimension: shape.rotaryDimension,
                            isInterleaved: shape.isInterleaved)
                        factors.withUnsafeBufferPointer { factors in
                            if shape.isInterleaved { table.queryFactors = factors.baseAddress }
                            Compute(isa: kernel.isa, threads: 2).qkNormRopeStore(
                                qkv, rows: rows, heads: heads, rotary: table,
                                norm: shape.normed
                                    ? HeadNorm(queryWeight: q.baseAddress, keyWeight: k.baseAddress, epsilon: 1e-6)
                                    : nil,
                                positions: positions, writeSlots: slots,
                                cache: cache.layer, query: &query)
                        }
                    }
                }
            }
        }
        for row in 0..<rows {
            let slot = Int(slots[row])
            for head in 0..<heads.query + 2 * heads.keyValue {
                let start = row * heads.fusedSize + head * dim
                var x = qkv[start..<start + dim].map(Double.init)
                let keyHead = head - heads.query, valueHead = keyHead - heads.keyValue
                if valueHead < 0 {
                    if shape.normed { x = normed(x, keyHead >= 0 ? keyWeight : queryWeight) }
                    let at = Int(positions[row]) * half
                    if shape.isInterleaved {
                        // Neighbours are stored as halves.
                        let even = (0..<half).map { x[2 * $0] }
                        let odd = (0..<half).map { x[2 * $0 + 1] }
                        x = even + odd + x[(2 * half)...]
                    }
                    x = rotated(x, Array(cosines[at..<at + half]), Array(sines[at..<at + half]))
                }
                if shape.isInterleaved && keyHead < 0 { x = x.map { $0 * Double(factors[Int(positions[row])]) } }
                let got =
                    if valueHead >= 0 {
                        cache.row(.values, head: valueHead, slot: slot)
                    } else if keyHead >= 0 {
                        cache.row(.keys, head: keyHead, slot: slot)
                    } else {
                        query[(row * heads.query + head) * dim..<(row * heads.query + head + 1) * dim].map(Double.init)
                    }
                let unit = keyHead >= 0 ? kernel.dtype : .float32
                let largest = x.map { abs($0) }.max() ?? 0
                let good = zip(got, x).allSatisfy { abs($0 - $1) <= roundingError($1, unit, largest: largest) }
                #expect(good, "row \(row) head \(head)")
            }
        }
    }

    /// How far a number in a row of at most `largest` may be from what is stored.
    private func roundingError(_ x: Double, _ dtype: CacheDType, largest: Double) -> Double {
        switch dtype {
        case .float32: 2e-6 * (abs(x) + 0.1)
        case .float16: 6e-4 * (abs(x) + 0.1)
        case .bfloat16: 5e-3 * (abs(x) + 0.1)
        case .int8: largest / 127 * 0.501
        }
    }

    @Test(arguments: presentLevels) func everyLevelQuantizesCacheRowsAlike(isa: KernelISA) {
        var random = SplitMix64(seed: 14)
        for dim in [8, 24, 40, 64, 72, 128] {
            let heads = AttentionHeads(query: 2, keyValue: 2, dimension: dim)
            var qkv = random.floats(30 * heads.fusedSize)
            // A row of zeros, one of numbers too small for a scale, and one with the largest finite number.
            for i in 0..<heads.fusedSize {
                qkv[i] = 0
                qkv[heads.fusedSize + i] *= 1e-36
            }
            qkv[2 * heads.fusedSize + 2 * dim] = .greatestFiniteMagnitude
            let expected = CacheMemory(heads, qkv: qkv, dtype: .int8)
            let cache = CacheMemory(heads, qkv: qkv, dtype: .int8, compute: Compute(isa: isa, threads: 2))
            #expect(cache.bytes == expected.bytes, "head size \(dim)")
            for (plane, head, slot) in [(CacheMemory.Plane.keys, 0, 0), (.values, 1, 1)] {
                #expect(cache.row(plane, head: head, slot: slot).allSatisfy { $0 == 0 })
            }
            #expect(cache.row(.keys, head: 0, slot: 2)[0] == Double(Float.greatestFiniteMagnitude / 127) * 127)
        }
    }

    private func normed(_ x: [Double], _ weight: [Float]) -> [Double] {
        let scale = 1 / (x.map { $0 * $0 }.reduce(0, +) / Double(x.count) + 1e-6).squareRoot()
        return zip(x, weight).map { $0 * scale * Double($1) }
    }

    private func rotated(_ x: [Double], _ cosines: [Float], _ sines: [Float]) -> [Double] {
        var out = x
        let half = cosines.count
        for i in 0..<half {
            out[i] = x[i] * Double(cosines[i]) - x[half + i] * Double(sines[i])
            out[half + i] = x[half + i] * Double(cosines[i]) + x[i] * Double(sines[i])
        }
        return out
    }
}
