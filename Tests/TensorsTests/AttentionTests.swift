import Tensors
import Testing
import Values

/// A step of attention with its operands and slots in scattered order.
struct AttentionStep {
    let heads: AttentionHeads
    let cache: CacheMemory
    let query: [Float]
    let slots: [Int32]
    let scale: Float

    /// One long sequence whose query rows exist for every position.
    init(_ heads: AttentionHeads, length: Int, dtype: CacheDType, seed: UInt64 = 1) {
        var random = SplitMix64(seed: seed)
        self.heads = heads
        let slotCount = length + 13
        let keysEnd = (heads.query + heads.keyValue) * heads.dimension
        var qkv = random.floats(slotCount * heads.fusedSize)
        for i in qkv.indices where i % heads.fusedSize < keysEnd { qkv[i] *= 2 }
        cache = CacheMemory(heads, qkv: qkv, dtype: dtype)
        query = random.floats(length * heads.query * heads.dimension, scale: 2)
        slots = Array((0..<Int32(slotCount)).shuffled(using: &random).prefix(length))
        scale = 1 / Float(heads.dimension).squareRoot()
    }

    /// Row size of the output.
    var width: Int { heads.query * heads.dimension }

    /// Attention of the given positions' rows, cut into sequences by `chunks` (each a range of positions).
    func run(
        _ compute: Compute, chunks: [Range<Int>], sight: AttentionSight = .causal,
        dtype: DType = .float32
    ) -> TypedArray {
        var rows = [Float]()
        var sequences = [AttentionSequence]()
        for chunk in chunks {
            sequences.append(
                AttentionSequence(
                    rowStart: rows.count / width, rowCount: chunk.count, slotStart: 0, length: chunk.upperBound))
            rows += query[chunk.lowerBound * width..<chunk.upperBound * width]
        }
        return run(compute, rows: rows, sequences: sequences, slots: slots, sight: sight, dtype: dtype)
    }

    /// Attention of any query rows over the step's cache.
    func run(
        _ compute: Compute, rows: [Float], sequences: [AttentionSequence], slots: [Int32],
        sight: AttentionSight = .causal, dtype: DType = .float32
    ) -> TypedArray {
        let out = TypedArray(zeros: rows.count, dtype)
        compute.attention(
            rows, heads: heads, cache: cache.layer, sequences: sequences, sequenceCount: sequences.count, slots: slots,
            scale: scale, sight: sight, dtype: dtype, into: out.pointer)
        return out
    }

    /// The definition, in double precision, over the positions `seen` or all up to the row's own; `bias` is what a position adds
    /// to a query head's score, `turned` what a score becomes before that, and `sink` a score that has no value.
    func expected(
        position: Int, seen range: Range<Int>? = nil, bias: (_ head: Int, _ position: Int) -> Double = { _, _ in 0 },
        turned: (Double) -> Double = { $0 }, sink: (_ head: Int) -> Double = { _ in -.infinity }
    ) -> [Double] {
        let range = range ?? 0..<position + 1
        let dim = heads.dimension, group = heads.query / heads.keyValue
        return (0..<heads.keyValue).flatMap { head -> [Double] in
            let seen = slots[range].map(Int.init)
            let keys = seen.map { cache.row(.keys, head: head, slot: $0) }
            let values = seen.map { cache.row(.values, head: head, slot: $0) }
            return (head * group..<(head + 1) * group).flatMap { queryHead -> [Double] in
                let start = position * width + queryHead * dim
                let q = query[start..<start + dim].map(Double.init)
                let scores = zip(range, keys).map { position, key in
                    turned(zip(q, key).map { $0 * $1 }.reduce(0, +) * Double(scale)) + bias(queryHead, position)
                }
                let top = scores.max() ?? 0
                let weights = scores.map { exponential($0 - top) }
                let sum = weights.reduce(0, +) + exponential(sink(queryHead) - top)
                return (0..<dim).map { d in zip(values, weights).map { $0[d] * $1 }.reduce(0, +) / sum }
            }
        }
    }
}

@Suite struct AttentionTests {
    static let shapes = [
        AttentionHeads(query: 1, keyValue: 1, dimension: 16), AttentionHeads(query: 6, keyValue: 2, dimension: 24),
        AttentionHeads(query: 3, keyValue: 1, dimension: 40), AttentionHeads(query: 8, keyValue: 4, dimension: 64),
        AttentionHeads(query: 5, keyValue: 1, dimension: 80), AttentionHeads(query: 4, keyValue: 4, dimension: 128),
        AttentionHeads(query: 40, keyValue: 1, dimension: 8), AttentionHeads(query: 2, keyValue: 1, dimension: 256),
        AttentionHeads(query: 3, keyValue: 3, dimension: 4), AttentionHeads(query: 2, keyValue: 1, dimension: 100),
        AttentionHeads(query: 2, keyValue: 1, dimension: 300), AttentionHeads(query: 3, keyValue: 1, dimension: 512),
    ]

    @Test(arguments: CacheCase.all) func matchesItsDefinition(kernel: CacheCase) {
        let compute = Compute(isa: kernel.isa, threads: 2)
        for heads in Self.shapes {
            let step = AttentionStep(heads, length: 530, dtype: kernel.dtype)
            for chunk in [0..<1, 0..<3, 15..<17, 31..<33, 250..<259, 511..<530] {
                let got = step.run(compute, chunks: [chunk]).floats
                for (row, position) in chunk.enumerated() where position % 3 != 1 {
                    // Outputs are averages of numbers below one.
                    let good = zip(got[row * step.width..<(row + 1) * step.width], step.expected(position: position))
                        .allSatisfy { abs(Double($0) - $1) <= 2e-6 }
                    #expect(good, "\(heads) position \(position)")
                }
            }
        }
    }

    @Test(arguments: CacheCase.all) func theOutputIsRoundedToTheTypeAskedFor(kernel: CacheCase) {
        let compute = Compute(isa: kernel.isa, threads: 2)
        let step = AttentionStep(.init(query: 6, keyValue: 2, dimension: 24), length: 300, dtype: kernel.dtype)
        let exact = step.run(compute, chunks: [290..<300]).floats
        for dtype in DType.allCases {
            let rounded = step.run(compute, chunks: [290..<300], dtype: dtype)
            #expect(rounded.bytes == TypedArray(exact, dtype).bytes)
        }
    }

    @Test(arguments: CacheCase.all) func prefillChunksAndDecodeHaveTheSameBits(kernel: CacheCase) {
        let one = Compute(isa: kernel.isa, threads: 1), three = Compute(isa: kernel.isa, threads: 3)
        for heads in [
            AttentionHeads(query: 8, keyValue: 4, dimension: 24), .init(query: 3, keyValue: 1, dimension: 64),
            .init(query: 14, keyValue: 1, dimension: 72), .init(query: 2, keyValue: 1, dimension: 276),
        ] {
            let length = 601
            let step = AttentionStep(heads, length: length, dtype: kernel.dtype)
            let whole = step.run(one, chunks: [0..<length]).bytes
            let row = step.width * 4
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

    @Test(arguments: CacheCase.all) func mixesSequencesWithTheirOwnSlots(kernel: CacheCase) {
        let heads = AttentionHeads(query: 4, keyValue: 2, dimension: 16)
        let step = AttentionStep(heads, length: 90, dtype: kernel.dtype)
        let compute = Compute(isa: kernel.isa, threads: 2)
        // Two sequences read disjoint halves of the slot list.
        let sequences = [
            AttentionSequence(rowStart: 0, rowCount: 1, slotStart: 45, length: 45),
            AttentionSequence(rowStart: 1, rowCount: 0, slotStart: 0, length: 0),
            AttentionSequence(rowStart: 1, rowCount: 4, slotStart: 0, length: 45),
        ]
        let queries = Array(step.query[..<(5 * step.width)])
        let out = step.run(compute, rows: queries, sequences: sequences, slots: step.slots)
        for (rows, slots) in [(0..<1, step.slots[45...]), (1..<5, step.slots[..<45])] {
            let alone = step.run(
                compute, rows: Array(queries[rows.lowerBound * step.width..<rows.upperBound * step.width]),
                sequences: [AttentionSequence(rowStart: 0, rowCount: rows.count, slotStart: 0, length: 45)],
                slots: Array(slots))
            let size = step.width * 4
            #expect(alone.bytes == Array(out.bytes[rows.lowerBound * size..<rows.upperBound * size]))
        }
    }

    @Test(arguments: presentLevels) func oneLongSequenceAmongShortOnesIsTheSameAsAlone(isa: KernelISA) {
        let step = AttentionStep(.init(query: 4, keyValue: 2, dimension: 32), length: 3000, dtype: .int8)
        let one = Compute(isa: isa, threads: 1), three = Compute(isa: isa, threads: 3)
        let positions = [2999] + (1...40).map { $0 * 3 }
        let batch = step.run(three, chunks: positions.map { $0..<$0 + 1 }).bytes
        let size = step.width * 4
        for (i, position) in positions.enumerated() {
            #expect(step.run(one, chunks: [position..<position + 1]).bytes == Array(batch[i * size..<(i + 1) * size]))
        }
    }

    @Test(arguments: presentLevels) func aNaNInACachedRowReachesTheOutput(isa: KernelISA) {
        let heads = AttentionHeads(query: 2, keyValue: 1, dimension: 16)
        for plane in [1, 2] {
            var random = SplitMix64(seed: 3)
            var qkv = random.floats(40 * heads.fusedSize)
            qkv[7 * heads.fusedSize + (plane + 1) * 16 + 5] = .nan
            for dtype in CacheDType.allCases {
                let cache = CacheMemory(heads, qkv: qkv, dtype: dtype, compute: Compute(isa: isa, threads: 1))
                var out = [Float](repeating: 0, count: 32)
                Compute(isa: isa, threads: 1).attention(
                    random.floats(32), heads: heads, cache: cache.layer,
                    sequences: [AttentionSequence(rowStart: 0, rowCount: 1, slotStart: 0, length: 40)],
                    sequenceCount: 1, slots: (0..<40).map(Int32.init), scale: 1, dtype: .float32, into: &out)
                #expect(out.contains { $0.isNaN }, "\(dtype) plane \(plane)")
            }
        }
    }
}
