import ModelWorker
import Testing

@Suite struct PatternPacingTests {
    @Test func nobodyRestsWhileTheSumIsSmall() {
        var pacing = PatternPacing()
        for id in 1...100 { pacing.note(UInt64(id), cost: 2_000) }
        let resting = pacing.resting()
        #expect(resting.isEmpty)
    }

    @Test func whatIsTooMuchForOneStepIsSharedOutInTurns() {
        var pacing = PatternPacing()
        for id in 1...10 { pacing.note(UInt64(id), cost: 90_000) }
        var served: [UInt64: Int] = [:]
        for _ in 0..<100 {
            let resting = pacing.resting()
            #expect(resting.count == 8)
            for id in 1...10 where !resting.contains(UInt64(id)) { served[UInt64(id), default: 0] += 1 }
        }
        #expect(served.count == 10 && served.values.allSatisfy { $0 == 20 })
    }

    @Test func oneThatNeedsMoreThanAStepHasIsServedAlone() {
        var pacing = PatternPacing()
        pacing.note(1, cost: 900_000)
        let alone = pacing.resting()
        #expect(alone.isEmpty)
        pacing.note(2, cost: 500)
        let turns = (0..<4).map { _ in pacing.resting() }
        #expect(turns.allSatisfy { $0.count == 1 } && Set(turns.flatMap { $0 }) == [1, 2])
    }

    @Test func whoIsGoneCostsNothing() {
        var pacing = PatternPacing()
        for id in 1...10 { pacing.note(UInt64(id), cost: 90_000) }
        for id in 1...7 { pacing.forget(UInt64(id)) }
        pacing.note(8, cost: 100)
        let resting = pacing.resting()
        #expect(resting.isEmpty)
    }
}
