import Tensors
import Testing

/// A step of attention with its operands and slots in scattered order.
struct AttentionStep {
    let heads: AttentionHeads
    let keys: TypedArray
    let values: TypedArray
    let query: [Float]
    let slots: [Int32]
    let scale: Float

    /// One long sequence whose query rows exist for every position.
    init(_ heads: AttentionHeads, length: Int, dtype: DType, seed: UInt64 = 1) {
        var random = SeededGenerator(seed: seed)
        self.heads = heads
        let slotCount = length + 13
        keys = TypedArray(random.floats(slotCount * heads.slotSize, scale: 2), dtype)
        values = TypedArray(random.floats(slotCount * heads.slotSize), dtype)
        query = random.floats(length * heads.query * heads.dimension, scale: 2)
        slots = Array((0..<Int32(slotCount)).shuffled(using: &random).prefix(length))
        scale = 1 / Float(heads.dimension).squareRoot()
    }

    /// Row size of the output.
    var width: Int { heads.query * heads.dimension }

    /// Attention of the given positions' rows, cut into sequences by `chunks` (each a range of positions).
    func run(_ compute: Compute, chunks: [Range<Int>]) -> TypedArray {
        var rows = [Float]()
        var sequences = [AttentionSequence]()
        for chunk in chunks {
            sequences.append(
                AttentionSequence(
                    rowStart: rows.count / width, rowCount: chunk.count, slotStart: 0, length: chunk.upperBound))
            rows += query[chunk.lowerBound * width..<chunk.upperBound * width]
        }
        let out = TypedArray(zeros: rows.count, keys.dtype)
        compute.attention(
            rows, heads: heads, cache: KeyValueLayer(keys: keys.pointer, values: values.pointer, dtype: keys.dtype),
            sequences: sequences, sequenceCount: sequences.count, slots: slots, scale: scale, into: out.pointer)
        return out
    }

    /// The definition, in double precision.
    func expected(position: Int) -> [Double] {
        let k = keys.floats, v = values.floats, dim = heads.dimension, group = heads.query / heads.keyValue
        return (0..<heads.query).flatMap { head -> [Double] in
            let q = query[position * width + head * dim..<position * width + (head + 1) * dim].map(Double.init)
            let starts = slots.prefix(position + 1).map { Int($0) * heads.slotSize + head / group * dim }
            let scores = starts.map { start in
                (0..<dim).map { q[$0] * Double(k[start + $0]) }.reduce(0, +) * Double(scale)
            }
            let top = scores.max() ?? 0
            let weights = scores.map { exponential($0 - top) }, sum = weights.reduce(0, +)
            return (0..<dim).map { d in zip(starts, weights).map { Double(v[$0 + d]) * $1 }.reduce(0, +) / sum }
        }
    }
}

@Suite struct AttentionTests {
    static let shapes = [
        AttentionHeads(query: 1, keyValue: 1, dimension: 16), AttentionHeads(query: 6, keyValue: 2, dimension: 24),
        AttentionHeads(query: 3, keyValue: 1, dimension: 40), AttentionHeads(query: 8, keyValue: 4, dimension: 64),
        AttentionHeads(query: 5, keyValue: 1, dimension: 80), AttentionHeads(query: 4, keyValue: 4, dimension: 128),
        AttentionHeads(query: 40, keyValue: 1, dimension: 8), AttentionHeads(query: 2, keyValue: 1, dimension: 256),
    ]

    @Test(arguments: KernelCase.all) func matchesItsDefinition(kernel: KernelCase) {
        let compute = Compute(isa: kernel.isa, threads: 2)
        // Outputs are averages of numbers below one.
        let tolerance = kernel.dtype == .float32 ? 1e-6 : kernel.dtype == .float16 ? 5e-4 : 4e-3
        for heads in Self.shapes {
            let step = AttentionStep(heads, length: 530, dtype: kernel.dtype)
            for chunk in [0..<1, 0..<3, 15..<17, 31..<33, 250..<259, 511..<530] {
                let got = step.run(compute, chunks: [chunk]).floats
                for (row, position) in chunk.enumerated() where position % 3 != 1 {
                    let good = zip(got[row * step.width..<(row + 1) * step.width], step.expected(position: position))
                        .allSatisfy { abs(Double($0) - $1) <= tolerance }
                    #expect(good, "\(heads) position \(position)")
                }
            }
        }
    }

    @Test(arguments: KernelCase.all) func prefillChunksAndDecodeHaveTheSameBits(kernel: KernelCase) {
        let one = Compute(isa: kernel.isa, threads: 1), three = Compute(isa: kernel.isa, threads: 3)
        for heads in [
            AttentionHeads(query: 8, keyValue: 4, dimension: 24), .init(query: 3, keyValue: 1, dimension: 64),
        ] {
            let length = 601
            let step = AttentionStep(heads, length: length, dtype: kernel.dtype)
            let whole = step.run(one, chunks: [0..<length]).bytes
            let row = step.width * kernel.dtype.size
            #expect(step.run(three, chunks: [0..<length]).bytes == whole)
            // Chunks at awkward places, all in one call.
            let cuts = [0, 1, 2, 9, 255, 256, 257, 300, 512, 600, length]
            let chunks = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
            #expect(step.run(three, chunks: chunks).bytes == whole)
            // Single rows, alone (split over blocks of positions) and as a batch.
            let positions = [0, 31, 255, 256, 400, 511, 512, 600]
            for compute in [one, three] {
                let batch = step.run(compute, chunks: positions.map { $0..<$0 + 1 }).bytes
                for (i, position) in positions.enumerated() {
                    let expected = Array(whole[position * row..<(position + 1) * row])
                    #expect(Array(batch[i * row..<(i + 1) * row]) == expected)
                    #expect(step.run(compute, chunks: [position..<position + 1]).bytes == expected)
                }
            }
        }
    }

    @Test(arguments: KernelCase.all) func mixesSequencesWithTheirOwnSlots(kernel: KernelCase) {
        let heads = AttentionHeads(query: 4, keyValue: 2, dimension: 16)
        let step = AttentionStep(heads, length: 90, dtype: kernel.dtype)
        let compute = Compute(isa: kernel.isa, threads: 2)
        // Two sequences read disjoint halves of the slot list.
        let sequences = [
            AttentionSequence(rowStart: 0, rowCount: 1, slotStart: 45, length: 45),
            AttentionSequence(rowStart: 1, rowCount: 0, slotStart: 0, length: 0),
            AttentionSequence(rowStart: 1, rowCount: 4, slotStart: 0, length: 45),
        ]
        let out = TypedArray(zeros: 5 * step.width, kernel.dtype)
        compute.attention(
            step.query, heads: heads,
            cache: KeyValueLayer(keys: step.keys.pointer, values: step.values.pointer, dtype: kernel.dtype),
            sequences: sequences, sequenceCount: 3, slots: step.slots, scale: step.scale, into: out.pointer)
        for (rows, slots, first) in [(0..<1, step.slots[45...], 44), (1..<5, step.slots[..<45], 41)] {
            let alone = TypedArray(zeros: rows.count * step.width, kernel.dtype)
            compute.attention(
                Array(step.query[rows.lowerBound * step.width..<rows.upperBound * step.width]), heads: heads,
                cache: KeyValueLayer(keys: step.keys.pointer, values: step.values.pointer, dtype: kernel.dtype),
                sequences: [
                    AttentionSequence(rowStart: 0, rowCount: rows.count, slotStart: 0, length: first + rows.count)
                ],
                sequenceCount: 1, slots: Array(slots), scale: step.scale, into: alone.pointer)
            let size = step.width * kernel.dtype.size
            #expect(alone.bytes == Array(out.bytes[rows.lowerBound * size..<rows.upperBound * size]))
        }
    }
}
