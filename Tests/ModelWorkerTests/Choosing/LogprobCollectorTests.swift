import Foundation
import Messages
import ModelWorker
import Testing

@Suite struct LogprobCollectorTests {
    private static let logits: [Float] = [0.5, 3, 1, -2]

    private func collector(_ fill: (inout LogprobOptions) -> Void) -> LogprobCollector { LogprobCollector(.make(fill)) }

    private func withRow(_ logits: [Float] = logits, temperature: Float = 1, _ body: (LogitRow) -> Void) {
        var logits = logits
        logits.withUnsafeMutableBufferPointer {
            body(LogitRow($0, inverseTemperature: 1 / temperature, compute: Toy.compute))
        }
    }

    private func expected(_ id: Int, temperature: Double = 1) -> Float {
        let scaled = Self.logits.map { Double($0) / temperature }
        return Float(scaled[id] - log(scaled.reduce(0) { $0 + exp($1) }))
    }

    private func near(_ values: [Float], _ wanted: [Float]) -> Bool {
        values.count == wanted.count && zip(values, wanted).allSatisfy { abs($0 - $1) < 1e-5 }
    }

    @Test func outputsAreScoredUnderTheirTemperatureWithTheirBestAndTheAskedFor() {
        var collector = collector {
            $0.start = -1
            $0.topCount = 2
            $0.tokenIds = .make { $0.ids = [3, 0] }
        }
        withRow(temperature: 2) { collector.addOutput($0, token: 2) }
        let frame = collector.take(row: 7)
        #expect(frame.row == 7 && !frame.hasInput)
        #expect(frame.output.ids == [2] && near(frame.output.values, [expected(2, temperature: 2)]))
        #expect(frame.outputTop.ids == [1, 2])
        #expect(near(frame.outputTop.values, [expected(1, temperature: 2), expected(2, temperature: 2)]))
        #expect(frame.outputChosen.ids == [3, 0])
        #expect(near(frame.outputChosen.values, [expected(3, temperature: 2), expected(0, temperature: 2)]))
        #expect(collector.take(row: 0) == LogprobFrame())
    }

    @Test func aPromptsFirstTokenHasNoNumberAndTheOthersHaveTheirs() {
        var collector = collector {
            $0.start = 0
            $0.topCount = 1
        }
        collector.startInput(prompt: [2, 1, 0])
        withRow { collector.addInput($0, token: 1) }
        withRow { collector.addInput($0, token: 0) }
        let input = collector.take(row: 0).input
        #expect(input.tokens.ids == [2, 1, 0] && input.tokens.values[0].isNaN)
        #expect(near(Array(input.tokens.values[1...]), [expected(1), expected(0)]))
        #expect(input.top.ids == [1, 1])
    }

    @Test func aPromptThatIsComputedAgainIsScoredAnew() {
        var collector = collector { $0.start = 0 }
        collector.startInput(prompt: [2, 1, 0])
        withRow { collector.addInput($0, token: 1) }
        collector.startInput(prompt: [2, 1, 0])
        withRow { collector.addInput($0, token: 1) }
        #expect(collector.take(row: 0).input.tokens.ids == [2, 1])
    }

    @Test func withoutScoresOfThePromptTheAskedIdsAreScoredOnceBehindIt() {
        var collector = collector {
            $0.start = -1
            $0.tokenIds = .make { $0.ids = [3] }
        }
        collector.startInput(prompt: [2, 1])
        withRow { collector.addLastInput($0) }
        let input = collector.take(row: 0).input
        #expect(input.tokens.ids.isEmpty && input.chosen.ids == [3] && near(input.chosen.values, [expected(3)]))
    }

    @Test func whatIsImpossibleOrNoTokenHasTheSmallestNumber() {
        var collector = collector { $0.start = -1 }
        withRow([0, -.infinity]) {
            collector.addOutput($0, token: 1)
            collector.addOutput($0, token: 9)
            collector.addOutput($0, token: -1)
        }
        let lowest = -Float.greatestFiniteMagnitude
        #expect(collector.take(row: 0).output.values == [lowest, lowest, lowest])
    }
}
