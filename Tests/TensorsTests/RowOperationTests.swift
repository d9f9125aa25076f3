import Tensors
import Testing

@Suite struct RowOperationTests {
    static let lengths = [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 577]

    @Test(arguments: KernelCase.all) func rmsNormMatchesItsDefinition(kernel: KernelCase) {
        var random = SeededGenerator(seed: 10)
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
        var random = SeededGenerator(seed: 11)
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
        var random = SeededGenerator(seed: 12)
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
    }

    static let ropeCases = [
        RopeCase(heads: .init(query: 3, keyValue: 1, dimension: 16), rotaryDimension: 16, normed: false),
        RopeCase(heads: .init(query: 4, keyValue: 2, dimension: 24), rotaryDimension: 24, normed: true),
        RopeCase(heads: .init(query: 2, keyValue: 2, dimension: 80), rotaryDimension: 32, normed: true),
        RopeCase(heads: .init(query: 8, keyValue: 2, dimension: 64), rotaryDimension: 64, normed: false),
        RopeCase(heads: .init(query: 2, keyValue: 1, dimension: 128), rotaryDimension: 6, normed: true),
    ]

    @Test(arguments: KernelCase.all) func normsRotatesAndStores(kernel: KernelCase) {
        for shape in Self.ropeCases { checkRope(kernel, shape) }
    }

    private func checkRope(_ kernel: KernelCase, _ shape: RopeCase) {
        var random = SeededGenerator(seed: 13)
        let heads = shape.heads, dim = heads.dimension, half = shape.rotaryDimension / 2, rows = 50
        let qkv = random.floats(rows * heads.fusedSize)
        let positions = (0..<rows).map { Int32(($0 * 7) % 20) }, slots = (0..<rows).map { Int32(rows - 1 - $0) }
        let cosines = random.floats(20 * half), sines = random.floats(20 * half)
        let queryWeight = random.floats(dim), keyWeight = random.floats(dim)
        let keys = TypedArray(zeros: rows * heads.slotSize, kernel.dtype)
        let values = TypedArray(zeros: rows * heads.slotSize, kernel.dtype)
        var query = [Float](repeating: 0, count: rows * heads.query * dim)
        cosines.withUnsafeBufferPointer { c in
            sines.withUnsafeBufferPointer { s in
                queryWeight.withUnsafeBufferPointer { q in
                    keyWeight.withUnsafeBufferPointer { k in
                        guard let c = c.baseAddress, let s = s.baseAddress else { return }
                        Compute(isa: kernel.isa, threads: 2).qkNormRopeStore(
                            qkv, rows: rows, heads: heads,
                            rotary: RotaryTable(cosines: c, sines: s, rotaryDimension: shape.rotaryDimension),
                            norm: shape.normed
                                ? HeadNorm(queryWeight: q.baseAddress, keyWeight: k.baseAddress, epsilon: 1e-6) : nil,
                            positions: positions, writeSlots: slots,
                            cache: KeyValueLayer(keys: keys.pointer, values: values.pointer, dtype: kernel.dtype),
                            query: &query)
                    }
                }
            }
        }
        let storedKeys = keys.floats, storedValues = values.floats
        let unit: Float = kernel.dtype == .float32 ? 2e-6 : kernel.dtype == .float16 ? 6e-4 : 5e-3
        for row in 0..<rows {
            for head in 0..<heads.query + 2 * heads.keyValue {
                let start = row * heads.fusedSize + head * dim
                var x = qkv[start..<start + dim].map(Double.init)
                let isKey = head >= heads.query
                if head < heads.query + heads.keyValue {
                    if shape.normed { x = normed(x, isKey ? keyWeight : queryWeight) }
                    let at = Int(positions[row]) * half
                    x = rotated(x, Array(cosines[at..<at + half]), Array(sines[at..<at + half]))
                }
                let slot = Int(slots[row]) * heads.slotSize
                let got: ArraySlice<Float>
                if !isKey {
                    got = query[(row * heads.query + head) * dim..<(row * heads.query + head + 1) * dim]
                } else if head < heads.query + heads.keyValue {
                    let from = slot + (head - heads.query) * dim
                    got = storedKeys[from..<from + dim]
                } else {
                    let from = slot + (head - heads.query - heads.keyValue) * dim
                    got = storedValues[from..<from + dim]
                }
                let limit = isKey ? unit : 2e-6
                let good = zip(got, x).allSatisfy { abs(Double($0) - $1) <= Double(limit) * (abs($1) + 0.1) }
                #expect(good, "row \(row) head \(head)")
            }
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
