import Messages
import Supervisor
import Testing

@Suite struct SupervisorRestartTests {
    private func answers(_ play: Rehearsal) -> [(success: Bool, message: String)] {
        play.record.compactMap { if case .answer(_, let success, let message) = $0 { (success, message) } else { nil } }
    }

    @Test func oneRoleIsReplacedAndTheAnswerComesWhenItIsReady() {
        var play = Rehearsal.serving()
        play.feed(.restart(call: 7, .detokenizer))
        #expect(play.stops == [.detokenizer])
        play.end(.detokenizer, .code(0))
        #expect(play.spawns == [.detokenizer])
        #expect(answers(play).isEmpty)
        play.bringUp()
        #expect(answers(play).map(\.success) == [true])
        #expect(answers(play)[0].message.contains("generation 2"))
    }

    @Test func aRollingRestartTakesOneUnitAfterTheOther() {
        var play = Rehearsal.serving { $0.ranks = 2 }
        play.feed(.restart(call: 1, nil))
        for unit: [ChildID] in [[.detokenizer], [.tokenizer], [.worker, .worker1]] {
            #expect(play.stops == unit)
            play.record = []
            for id in unit { play.end(id, .code(0)) }
            #expect(play.spawns == unit)
            #expect(play.stops.isEmpty)
            play.record = []
            play.bringUp()
        }
        #expect(play.record.contains(.drain(.front, seconds: 30, replaced: true)))
        play.end(.front, .code(0))
        play.bringUp()
        #expect(answers(play).map(\.success) == [true])
        #expect(play.state.isServing)
    }

    @Test func oneThatDoesNotStopIsForced() {
        var play = Rehearsal.serving()
        play.feed(.restart(call: 1, .workers))
        play.pass(1.1)
        #expect(play.killed(.terminate) == [.worker])
        play.pass(4)
        #expect(play.killed(.kill) == [.worker])
    }

    @Test func aFailedUnitComesBackWhenAsked() {
        var play = Rehearsal.serving { $0.maxRestarts = 0 }
        play.end(.worker, .signal(11))
        #expect(play.slot(.worker).state == .failed)
        play.feed(.restart(call: 1, .workers))
        play.bringUp()
        #expect(answers(play).map(\.success) == [true])
        #expect(play.state.isServing)
    }

    @Test func aRestartThatFailsSaysSo() {
        var play = Rehearsal.serving()
        play.feed(.restart(call: 1, .workers))
        play.end(.worker, .code(0))
        play.end(.worker, .code(1))
        #expect(answers(play).map(\.success) == [false])
        #expect(answers(play)[0].message.contains("exit code 1"))
    }

    @Test func nothingIsRestartedBeforeTheFirstServiceOrWhileStopping() {
        var early = Rehearsal()
        early.feed(.start)
        early.feed(.restart(call: 1, .workers))
        #expect(answers(early).map(\.success) == [false])
        var late = Rehearsal.serving()
        late.feed(.restart(call: 2, .workers))
        late.feed(.signal(.terminate))
        late.feed(.restart(call: 3, .workers))
        #expect(answers(late).map(\.success) == [false, false])
    }

    @Test(arguments: [
        ("http", RestartUnit.front), ("sglang::http", .front), ("tokenizer", .tokenizerManager),
        ("Scheduler", .workers),
        ("sglang::scheduler_TP1", .workers), ("worker", .workers), ("detokenizer", .detokenizer),
    ])
    func operatorsMayUseTitlesAndShortNames(name: String, unit: RestartUnit) {
        #expect(RestartUnit(operatorName: name) == unit)
    }

    @Test func aNameOfNoProcessIsRefused() {
        #expect(RestartUnit(operatorName: "scheduler_TPx") == nil)
        #expect(RestartUnit(operatorName: "launcher") == nil)
    }
}
