import Models
import Tensors
import Testing
import Values

@Suite struct StepPartsTests {
    /// The parts of texts of so many rows each, by their first and last texts; empty where threads share every operation.
    private func parts(_ rows: [Int], threads: Int, memoryRows: Int = 100_000) -> [Range<Int>] {
        let sequences = rows.map { AttentionSequence(rowStart: 0, rowCount: $0, slotStart: 0, length: $0) }
        var starts = [Int32](repeating: -1, count: rows.count + 1)
        let count = StepParts.cut(
            sequences, count: rows.count, threads: threads, memoryRows: memoryRows, into: &starts)
        return (0..<count).map { Int(starts[$0])..<Int(starts[$0 + 1]) }
    }

    @Test func longTextsArePartsOfTheirOwnAndShortOnesShareThem() {
        #expect(parts([128, 128, 300, 128, 128, 200, 300], threads: 2) == (0..<7).map { $0..<$0 + 1 })
        #expect(parts([Int](repeating: 50, count: 24), threads: 2) == (0..<8).map { 3 * $0..<3 * $0 + 3 })
        // The long one would make the part of the short one too long.
        #expect(parts([20, 250, 130, 130, 130, 130, 130, 130], threads: 1).prefix(2) == [0..<1, 1..<2])
    }

    @Test func everyTextIsInOnePart() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let rows = (0..<200).map { _ in Int.random(in: 1...180, using: &random) }
            let parts = parts(rows, threads: 4)
            #expect(parts.flatMap { Array($0) } == Array(rows.indices))
            #expect(parts.allSatisfy { $0.map { rows[$0] }.reduce(0, +) <= 256 })
        }
    }

    @Test func threadsShareOperationsWhereOneWouldWaitForAnother() {
        #expect(parts([128, 128], threads: 2).isEmpty)
        #expect(parts([128, 128], threads: 1).count == 2)
        #expect(parts([128, 128, 128, 128], threads: 2).count == 4)
        #expect(parts([512, 128, 128, 128], threads: 2).isEmpty)
        #expect(parts([5], threads: 1).isEmpty)
        #expect(parts([], threads: 2).isEmpty)
    }

    @Test func aPartFitsIntoItsThreadsShareOfTheMemory() {
        let texts = [Int](repeating: 128, count: 16)
        #expect(parts(texts, threads: 16, memoryRows: 16 * 128).isEmpty)
        #expect(parts(texts, threads: 8, memoryRows: 8 * 128).count == 16)
        #expect(parts(texts, threads: 8, memoryRows: 8 * 128 - 1).isEmpty)
    }

    /// Texts of all lengths, pooled in every way, with types, biases of distances and windows.
    @Test(arguments: EncoderFixture.all)
    func partsHaveTheBitsOfTextsAlone(_ fixture: EncoderFixture) throws {
        let golden = try fixture.golden()
        let short = golden.texts.filter { $0.ids.count <= 128 }
        let texts = (0..<64).map { short[$0 % short.count] }
        let config = try ModelConfig.load(modelPath: fixture.path)
        let limits = ForwardLimits(
            rows: 4000, logitRows: 64, sequences: 64, slots: 4000, positions: min(512, config.derivedContextLength))
        for (dtype, threads) in [(DType.float32, 1), (.bfloat16, 2)] {
            #expect(parts(texts.map(\.ids.count), threads: threads, memoryRows: limits.rows).count > 2)
            let source = ModelSource(fixture.path, config: config, dtype: dtype)
            let model = try loadModel(LoadOptions(source, limits: limits, compute: Compute(threads: threads)))
            let alone = short.map { model.answers([$0])[0].map(\.bitPattern) }
            let together = model.answers(texts)
            for (index, answer) in together.enumerated() {
                #expect(answer.map(\.bitPattern) == alone[index % short.count], "\(dtype), text \(index)")
            }
        }
    }
}
