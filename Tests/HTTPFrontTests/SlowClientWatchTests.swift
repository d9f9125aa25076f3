import HTTPFront
import Testing

/// Who is slower than any honest client, by a clock that the test moves.
@Suite struct SlowClientWatchTests {
    private func at(_ seconds: Double) -> Duration { .seconds(seconds) }

    private func judge(_ watch: inout SlowClientWatch, _ seconds: Double, acknowledged: UInt64 = 0)
        -> SlowClientWatch.Verdict?
    {
        watch.due(acknowledged: acknowledged, now: at(seconds))
    }

    @Test func aHeadHasTenSecondsHoweverManyBytesCome() {
        var watch = SlowClientWatch(.init(), now: at(0))
        for second in 1...9 { watch.arrived(now: at(Double(second))) }
        let (before, after) = (judge(&watch, 9.9), judge(&watch, 10))
        #expect(before == nil && after == .close)
    }

    @Test func aBodyIsJudgedByItsPaceAndNotByItsPauses() {
        var watch = SlowClientWatch(.init(), now: at(0))
        watch.head(now: at(1))
        watch.body(5000)
        // A pause of nine seconds, and another.
        let first = judge(&watch, 11)
        #expect(first == nil && watch.deadline == at(21))
        watch.body(5000)
        let second = judge(&watch, 21)
        watch.body(4999)
        let third = judge(&watch, 31)
        #expect(second == nil && third == .close)
    }

    @Test func whoWaitsForAnAnswerOwesNothing() {
        var watch = SlowClientWatch(.init(), now: at(0))
        watch.head(now: at(1))
        let isOwed = watch.end()
        #expect(isOwed && watch.deadline == nil)
        let verdict = judge(&watch, 1_000_000)
        #expect(verdict == nil)
    }

    @Test func betweenTwoRequestsThereIsLessTimeThanWithinAHead() {
        var watch = SlowClientWatch(.init(), now: at(0))
        watch.head(now: at(1))
        _ = watch.end()
        let isFree = watch.answered(now: at(100))
        #expect(isFree && watch.deadline == at(105))
        // The next head begins late, and has its own time.
        watch.arrived(now: at(104.9))
        let within = judge(&watch, 110)
        let after = judge(&watch, 114.9)
        #expect(within == nil && after == .close)
        var idle = SlowClientWatch(.init(), now: at(0))
        idle.head(now: at(1))
        _ = idle.end()
        _ = idle.answered(now: at(100))
        let closed = judge(&idle, 105)
        #expect(closed == .close)
    }

    @Test func aSecondRequestBeforeTheFirstAnswerStartsNoWait() {
        var watch = SlowClientWatch(.init(), now: at(0))
        for second in [1.0, 2] {
            watch.head(now: at(second))
            _ = watch.end()
        }
        let isFree = watch.answered(now: at(3))
        #expect(!isFree && watch.deadline == nil)
        let isFreeNow = watch.answered(now: at(4))
        #expect(isFreeNow)
    }

    @Test func whoWasAnsweredBeforeItsBodyEndedIsOwedNothing() {
        var watch = SlowClientWatch(.init(), now: at(0))
        watch.head(now: at(1))
        _ = watch.answered(now: at(2))
        let isOwed = watch.end()
        #expect(!isOwed && watch.deadline == at(7))
    }

    @Test func anAnswerThatIsTakenSlowlyGoesOnAndOneThatIsNotTakenEnds() {
        var watch = SlowClientWatch(.init(), now: at(0))
        watch.head(now: at(0))
        _ = watch.end()
        watch.blocked(acknowledged: 100, now: at(1))
        let slow = judge(&watch, 61, acknowledged: 101)
        #expect(slow == nil && watch.deadline == at(121))
        let stopped = judge(&watch, 121, acknowledged: 101)
        #expect(stopped == .reset)
        watch.unblocked()
        let free = judge(&watch, 200, acknowledged: 101)
        #expect(free == nil)
    }
}
