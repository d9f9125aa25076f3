import Bench
import Foundation
import Models
import Tensors
import Testing

@Suite struct AccuracyReportTests {
    @Test func perplexityIsTheExponentOfTheMeanSurprise() {
        var report = AccuracyReport(model: "m", settings: "int8", reference: "bfloat16", window: 4, hasReference: true)
        let log2 = 0.6931471805599453
        report.take(
            [Prediction(best: 1, surprise: log2), Prediction(best: 2, surprise: 3 * log2)],
            [Prediction(best: 1, surprise: log2), Prediction(best: 7, surprise: log2)], divergences: [0, 0.5])
        #expect(abs(report.perplexity - 4) < 1e-12)
        #expect(abs(report.referencePerplexity - 2) < 1e-12)
        #expect(report.topAgreement == 0.5)
    }

    @Test func continuationsAgreeUpToTheFirstDifference() {
        var report = AccuracyReport(model: "m", settings: "int8", reference: "bfloat16", window: 4, hasReference: true)
        report.takeContinuation([1, 2, 9, 4], expected: [1, 2, 3, 4])
        report.takeContinuation([5, 6, 7, 8], expected: [5, 6, 7, 8])
        #expect(report.meanSameTokens == 3)
        #expect(report.text.contains("1 wholly the same"))
    }
}

@Suite struct ReaderTests {
    private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/llama-tied").standardizedFileURL.path
    private static let ids: [Int32] = (0..<24).map { 3 + ($0 * 29) % 200 }

    private static func reader(_ dtype: DType, block: Int = 5) throws -> Reader {
        let compute = Compute(threads: 1)
        let model = try loadModel(
            LoadOptions(
                ModelSource(path, config: try ModelConfig.load(modelPath: path), dtype: dtype),
                limits: ForwardLimits(rows: 24, logitRows: block, sequences: 1, slots: 40, positions: 40),
                compute: compute))
        return try Reader(model, compute: compute)
    }

    @Test func aModelAgreesWithItselfWhateverTheBlocks() throws {
        let one = try Self.reader(.float32)
        let other = try Self.reader(.float32, block: 24)
        one.read(Self.ids)
        other.read(Self.ids)
        #expect(other.predictions(5..<10, next: Self.ids) == one.predictions(5..<10, next: Self.ids))
        #expect(one.divergences(from: other).allSatisfy { $0 == 0 })
    }

    @Test func anotherDTypeDivergesALittle() throws {
        let exact = try Self.reader(.float32)
        let rounded = try Self.reader(.bfloat16)
        exact.read(Self.ids)
        rounded.read(Self.ids)
        let predictions = (exact.predictions(0..<5, next: Self.ids), rounded.predictions(0..<5, next: Self.ids))
        for (exact, rounded) in zip(predictions.0, predictions.1) {
            #expect(exact.surprise > 0 && abs(exact.surprise - rounded.surprise) < 0.1)
        }
        let divergences = exact.divergences(from: rounded)
        #expect(divergences.count == 5)
        #expect(divergences.contains { $0 > 0 } && divergences.allSatisfy { $0 < 0.01 })
    }

    @Test func aContinuationIsWhatReadingItPredicts() throws {
        let reader = try Self.reader(.float32)
        let prompt = Array(Self.ids.prefix(10))
        let continuation = reader.continuation(of: prompt, tokens: 4)
        reader.read(prompt + continuation)
        let predicted = reader.predictions(9..<13, next: prompt + continuation).map(\.best)
        #expect(predicted == continuation)
    }
}
