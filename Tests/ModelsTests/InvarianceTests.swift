import Models
import Tensors
import Testing
import Values

/// How a model is run never changes a bit of what it says: alone, in a batch, in chunks, over a cached prefix, on more
/// threads.
@Suite struct InvarianceTests {
    @Test(arguments: Fixture.atLevels) func everyWayOfRunningGivesTheSameBits(_ run: Fixture.AtLevel) throws {
        let (fixture, isa) = (run.fixture, run.isa)
        let cases: [(DType, KVCacheDType)] = [
            (.float32, .auto), (.bfloat16, .auto), (.float16, .auto), (.bfloat16, .int8), (.bfloat16, .float32),
        ]
        for (dtype, cache) in cases { try check(fixture, dtype: dtype, cache: cache, isa: isa) }
    }

    @Test(arguments: Fixture.atLevels) func everyWayOfRunningQuantizedGivesTheSameBits(_ run: Fixture.AtLevel) throws {
        let (fixture, isa) = (run.fixture, run.isa)
        try check(fixture, dtype: .bfloat16, quantization: .w8a8Int8, cache: .int8, isa: isa)
        try check(fixture, dtype: .float32, quantization: .w8a8Int8, isa: isa)
        try check(fixture, dtype: .bfloat16, quantization: .int4(), isa: isa)
        try check(fixture, dtype: .float32, quantization: .int4(groupSize: 32, headBits: 4), isa: isa)
    }

    @Test(arguments: Fixture.all) func anInt8CacheChangesLogitsOnlyALittle(_ fixture: Fixture) throws {
        let exact = try fixture.load()
        let quantized = try fixture.load(kvCacheDType: .int8)
        let texts = Array(sequences(vocabulary: exact.config.vocabularySize)[..<1])
        let expected = runAlone(exact, texts)[0], found = runAlone(quantized, texts)[0]
        #expect(differences(expected, found) != [], "the cache is another")
        // Random weights spread rounding errors more than trained ones; a scale of another row would give about one.
        var error = 0.0, total = 0.0
        for (logits, others) in zip(expected, found) {
            let mean = logits.reduce(0, +) / Float(logits.count)
            for (x, y) in zip(logits, others) {
                error += Double((x - y) * (x - y))
                total += Double((x - mean) * (x - mean))
            }
        }
        #expect((error / total).squareRoot() < 0.15)
    }

    private func check(
        _ fixture: Fixture, dtype: DType, quantization: Quantization = .none, cache: KVCacheDType = .auto,
        isa: KernelISA
    ) throws {
        let model = try fixture.load(dtype: dtype, quantization: quantization, kvCacheDType: cache, isa: isa)
        let name = "\(dtype) \(quantization.name) \(cache)"
        let texts = sequences(vocabulary: model.config.vocabularySize)
        let alone = runAlone(model, texts)
        #expect(alone.allSatisfy { $0.allSatisfy { $0.allSatisfy { $0.isFinite } } }, "\(name)")
        #expect(differences(runBatched(model, texts).flatMap { $0 }, alone.flatMap { $0 }) == [], "batched, \(name)")
        #expect(differences(runChunked(model, texts[0]), alone[0]) == [], "chunks of 7, \(name)")
        for shared in [1, 7, 64, 101] {
            #expect(
                differences(runOverCachedPrefix(model, texts[0], shared: shared), Array(alone[0][shared...])) == [],
                "cached prefix of \(shared), \(name)")
        }
        let oneThread = try fixture.load(
            dtype: dtype, quantization: quantization, kvCacheDType: cache, isa: isa, threads: 1)
        #expect(
            differences(runBatched(oneThread, texts).flatMap { $0 }, alone.flatMap { $0 }) == [],
            "one thread, \(name)")
    }

    @Test func logitsInBlocksEqualLogitsAtOnce() throws {
        let fixture = Fixture(name: "llama-untied")
        let model = try fixture.load(logitRows: 300)
        let small = try fixture.load(logitRows: 4)
        let tokens = sequences(vocabulary: model.config.vocabularySize)[0]
        let whole = runAlone(model, [tokens])[0]
        var input = ForwardInput()
        input.tokens = tokens
        input.positions = (0..<tokens.count).map(Int32.init)
        input.slots = input.positions
        input.writeSlots = input.positions
        input.logitRows = input.positions
        input.sequences = [.init(rowStart: 0, rowCount: tokens.count, slotStart: 0, length: tokens.count)]
        small.forward(input)
        let size = small.config.vocabularySize
        var block = [Float](repeating: 0, count: 4 * size)
        for first in stride(from: 0, to: tokens.count, by: 4) {
            let range = first..<min(first + 4, tokens.count)
            block.withUnsafeMutableBufferPointer { small.logits(range, into: $0.baseAddress!) }
            for row in range {
                let found = Array(block[(row - first) * size..<(row - first + 1) * size])
                #expect(differences([found], [whole[row]]) == [], "row \(row)")
            }
        }
    }

    @Test func onlyTheRowsAskedForReachTheHead() throws {
        let model = try Fixture(name: "qwen2-tied").load()
        let tokens = sequences(vocabulary: model.config.vocabularySize)[0]
        let whole = runAlone(model, [tokens])[0]
        var input = ForwardInput()
        input.tokens = tokens
        input.positions = (0..<tokens.count).map(Int32.init)
        input.slots = input.positions
        input.writeSlots = input.positions
        input.logitRows = [3, Int32(tokens.count - 1)]
        input.sequences = [.init(rowStart: 0, rowCount: tokens.count, slotStart: 0, length: tokens.count)]
        let size = model.config.vocabularySize
        var logits = [Float](repeating: 0, count: 2 * size)
        logits.withUnsafeMutableBufferPointer { model.forward(input, logits: $0.baseAddress!) }
        #expect(
            differences([Array(logits[..<size]), Array(logits[size...])], [whole[3], whole[tokens.count - 1]]) == [])
    }

    /// The last layer drops rows that nobody asked for; what it leaves, in logits and in the cache, is the same.
    @Test(arguments: Fixture.all)
    func rowsNobodyAskedForMayBeDroppedInTheLastLayer(_ fixture: Fixture) throws {
        let model = try fixture.load()
        let texts = [sequences(vocabulary: model.config.vocabularySize)[0], [3, 1, 4], [1, 5, 9, 2, 6]]
        let whole = runAlone(model, texts)
        let size = model.config.vocabularySize
        // Nothing of a chunk in the middle, a row inside another sequence, two rows of one and none of the others.
        for wanted: [[Int]] in [[[], [], []], [[], [1], [4]], [[109], [2], [4]], [[7, 109], [], []]] {
            var input = ForwardInput()
            var expected: [[Float]] = []
            for (index, tokens) in texts.enumerated() {
                let rowStart = input.tokens.count
                input.sequences.append(
                    .init(rowStart: rowStart, rowCount: tokens.count, slotStart: rowStart, length: tokens.count))
                input.tokens += tokens
                input.positions += (0..<tokens.count).map(Int32.init)
                input.writeSlots += scatteredSlots(index, tokens.count)
                input.logitRows += wanted[index].map { Int32(rowStart + $0) }
                expected += wanted[index].map { whole[index][$0] }
            }
            input.slots = input.writeSlots
            var logits = [Float](repeating: .nan, count: max(1, expected.count) * size)
            logits.withUnsafeMutableBufferPointer { model.forward(input, logits: $0.baseAddress!) }
            let found = expected.indices.map { Array(logits[$0 * size..<($0 + 1) * size]) }
            #expect(differences(found, expected) == [], "\(wanted)")
        }
    }

    @Test func anEmptyStepIsNoStep() throws {
        let model = try Fixture(name: "llama-tied").load()
        model.forward(ForwardInput())
        let tokens = sequences(vocabulary: model.config.vocabularySize)[3]
        #expect(runAlone(model, [tokens])[0].count == tokens.count)
    }
}

/// Sixteen token sequences of lengths 110, 1, 2 … up to about 70, with no pattern in them.
func sequences(vocabulary: Int) -> [[Int32]] {
    var state: UInt64 = 42
    func next() -> Int32 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int32((state >> 33) % UInt64(vocabulary))
    }
    let lengths = [110, 1, 2, 7, 8, 9, 13, 16, 17, 31, 33, 40, 63, 64, 65, 70]
    return lengths.map { length in (0..<length).map { _ in next() } }
}

/// Slots of sequence `index` among sixteen, scattered so that no two neighbours lie together.
func scatteredSlots(_ index: Int, _ count: Int) -> [Int32] {
    (0..<count).map { Int32((($0 * 16 + index) * 1001 + 5) % 4096) }
}

/// Each sequence alone: two thirds as one prefill, the rest row by row.
func runAlone(_ model: any LanguageModel, _ texts: [[Int32]]) -> [[[Float]]] {
    texts.map { tokens in
        var run = ModelRun(model: model, tracks: [.init(tokens: tokens, slots: (0..<tokens.count).map(Int32.init))])
        run.runAlone(0, prefill: tokens.count * 2 / 3)
        return run.tracks[0].logits
    }
}

/// All sequences together: each starts at another step, with chunks of changing size between other sequences' single
/// rows.
func runBatched(_ model: any LanguageModel, _ texts: [[Int32]]) -> [[[Float]]] {
    var run = ModelRun(
        model: model, tracks: texts.enumerated().map { .init(tokens: $1, slots: scatteredSlots($0, $1.count)) })
    var step = 0
    while texts.indices.contains(where: { run.remaining($0) > 0 }) {
        var parts: [(track: Int, count: Int)] = []
        for index in texts.indices where step * 3 >= index {
            let wanted = (step + index) % 4 == 0 ? 1 + (step * 7 + index * 5) % 29 : 1
            parts.append((index, min(wanted, run.remaining(index))))
        }
        run.step(parts)
        step += 1
    }
    return run.tracks.map(\.logits)
}

func runChunked(_ model: any LanguageModel, _ tokens: [Int32]) -> [[Float]] {
    var run = ModelRun(model: model, tracks: [.init(tokens: tokens, slots: scatteredSlots(3, tokens.count))])
    run.runAlone(0, prefill: tokens.count, chunk: 7)
    return run.tracks[0].logits
}

/// Computes the first `shared` positions for one sequence, and then the rest for another that shares their slots.
func runOverCachedPrefix(_ model: any LanguageModel, _ tokens: [Int32], shared: Int) -> [[Float]] {
    let slots = scatteredSlots(7, tokens.count)
    var run = ModelRun(model: model, tracks: [.init(tokens: Array(tokens[..<shared]), slots: Array(slots[..<shared]))])
    run.runAlone(0, prefill: shared)
    let rest = scatteredSlots(8, tokens.count)[shared...]
    run.tracks.append(.init(tokens: tokens, slots: Array(slots[..<shared]) + rest, cached: shared))
    run.step([(1, tokens.count - shared)])
    return Array(run.tracks[1].logits[shared...])
}
