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
        #expect(play.spawns == [.front] && play.stops.isEmpty)
        play.bringUp()
        #expect(answers(play).map(\.success) == [true])
        #expect(play.state.isServing)
    }

    /// Front 1 was asked to make room; front 2 was spawned.
    private func replacing() -> (Rehearsal, old: Int32) {
        var play = Rehearsal.serving()
        let old = play.living[.front]!.pid
        play.feed(.restart(call: 1, .front))
        return (play, old)
    }

    private func orders(_ play: Rehearsal, to pid: Int32) -> [Bool] {
        play.record.compactMap { if case .drainLeaving(pid, _, let replaced) = $0 { replaced } else { nil } }
    }

    @Test func aFrontServesUntilTheNextOneIsReadyAndThenFinishes() {
        var (play, old) = replacing()
        #expect(play.spawns == [.front] && play.state.isServing && orders(play, to: old) == [])
        #expect(play.state.topology(at: play.now).leaving.map(\.pid) == [old])
        play.bringUp()
        #expect(orders(play, to: old) == [true] && answers(play).map(\.success) == [true])
        play.pass(600)
        #expect(play.killed(.kill) == [] && play.state.isServing)
        play.endLeaving(old, .code(0))
        #expect(play.state.topology(at: play.now).leaving == [])
        #expect(play.logs.contains { $0.contains("generation 1) has answered its last request") })
    }

    @Test func aFrontServesWhileItsSuccessorFails() {
        var (play, old) = replacing()
        play.end(.front, .code(1))
        #expect(answers(play).map(\.success) == [false] && play.state.isServing)
        play.pass(1)
        play.bringUp()
        #expect(orders(play, to: old) == [true])
        #expect(play.state.isServing)
    }

    @Test func aFrontThatLeavesAndHangsIsKilled() {
        var (play, old) = replacing()
        play.bringUp()
        play.pass(11, except: [])
        #expect(play.killed(.kill).isEmpty)
        // Nobody hears of it any more.
        let silent = play.leaving
        play.leaving = [:]
        play.pass(11)
        #expect(play.record.contains(.kill(.front, pid: old, signal: .kill)))
        play.leaving = silent
        play.endLeaving(old, .signal(9))
        #expect(play.state.isServing && play.spawns == [.front])
    }

    @Test func theServerEndsWhenTheLastFrontIsDone() {
        var (play, old) = replacing()
        play.bringUp()
        play.record = []
        play.feed(.signal(.terminate))
        #expect(play.record.contains(.drain(.front, seconds: 30)) && orders(play, to: old) == [false])
        play.end(.front, .code(0))
        #expect(play.state.status == "draining")
        play.endLeaving(old, .code(0))
        #expect(play.state.status == "stopping")
    }

    @Test func aStopDuringAReplacementDrainsTheOneThatServes() {
        var (play, old) = replacing()
        play.feed(.signal(.terminate))
        #expect(orders(play, to: old) == [false] && play.killed(.terminate) == [.front])
        play.end(.front, .signal(15))
        #expect(play.state.status == "draining")
        play.pass(33)
        #expect(play.record.contains(.kill(.front, pid: old, signal: .terminate)))
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

    @Test func anOperatorNeedNotWaitForAPauseToEnd() {
        var play = Rehearsal.serving()
        play.end(.worker, .signal(11))
        #expect(play.slot(.worker).state == .backoff && play.spawns.isEmpty)
        play.feed(.restart(call: 1, .workers))
        #expect(play.spawns == [.worker])
        play.bringUp()
        #expect(answers(play).map(\.success) == [true])
        play.pass(60)
        #expect(play.spawns == [.worker], "the pause does not start a second one")
    }

    @Test func anOperatorsSecondRestartWaitsForTheFirst() {
        var play = Rehearsal.serving()
        play.feed(.restart(call: 1, .detokenizer))
        play.feed(.restart(call: 2, .tokenizerManager))
        #expect(play.stops == [.detokenizer])
        play.end(.detokenizer, .code(0))
        play.bringUp()
        #expect(play.stops == [.detokenizer, .tokenizer] && answers(play).count == 1)
        play.end(.tokenizer, .code(0))
        play.bringUp()
        #expect(answers(play).map(\.success) == [true, true])
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
