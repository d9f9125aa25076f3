import Messages
import Supervisor
import Testing

@Suite struct SupervisorStopTests {
    @Test func sigtermDrainsAndThenStopsInOrder() {
        var play = Rehearsal.serving()
        play.feed(.signal(.terminate))
        #expect(play.record.contains(.drain(.front, seconds: 30)))
        #expect(play.state.topology(at: play.now).draining)
        #expect(play.stops.isEmpty)
        play.report(.front, .goodbye(reason: "drained"))
        play.end(.front, .code(0))
        var order: [ChildID] = []
        while play.exitCode == nil, let next = play.stops.last, !order.contains(next) {
            order.append(next)
            play.end(next, .code(0))
        }
        #expect(order.filter { $0 != .front } == [.tokenizer, .worker, .detokenizer])
        #expect(play.exitCode == LauncherExit.stopped)
    }

    @Test func aDrainThatTakesTooLongIsEnded() {
        var play = Rehearsal.serving { $0.drainTimeout = 5 }
        play.feed(.signal(.terminate))
        play.pass(6)
        #expect(play.stops.isEmpty)
        play.pass(1.5)
        #expect(play.stops == [.front])
        play.pass(1.1)
        #expect(play.killed(.terminate) == [.front])
        play.pass(4)
        #expect(play.killed(.kill) == [.front])
    }

    @Test func anInterruptCutsTheDrainShort() {
        var play = Rehearsal.serving()
        play.feed(.signal(.terminate))
        play.feed(.signal(.interrupt))
        #expect(play.stops == [.front])
    }

    @Test func aSecondSigtermLeavesTimeForLastFramesAndAThirdDoesNot() {
        for signals in [2, 3] {
            var play = Rehearsal.serving()
            for _ in 0..<signals { play.feed(.signal(.terminate)) }
            #expect(play.record.contains(.drain(.front, seconds: 0)))
            #expect(play.stops == (signals == 3 ? [.front] : []))
            play.pass(2.5)
            #expect(play.stops == [.front])
        }
    }

    @Test func sigintDoesNotDrain() {
        var play = Rehearsal.serving()
        play.feed(.signal(.interrupt))
        #expect(play.stops == [.front])
        #expect(!play.record.contains(.drain(.front, seconds: 30)))
    }

    @Test func sigquitKillsEverybodyAtOnce() {
        var play = Rehearsal.serving { $0.ranks = 2 }
        play.feed(.signal(.quit))
        #expect(Set(play.killed(.kill)) == [.front, .tokenizer, .worker, .worker1, .detokenizer])
        for id in play.living.keys { play.end(id, .signal(9)) }
        #expect(play.exitCode == LauncherExit.quit)
    }

    @Test func sigtermDuringTheLoadStopsEverybodyAtOnce() {
        var play = Rehearsal()
        play.feed(.start)
        play.report(.worker, .hello)
        play.feed(.signal(.terminate))
        #expect(Set(play.killed(.terminate)) == [.front, .tokenizer, .worker, .detokenizer])
        play.pass(1.1)
        #expect(Set(play.killed(.kill)) == [.front, .tokenizer, .worker, .detokenizer])
        for id in play.living.keys { play.end(id, .signal(9)) }
        #expect(play.exitCode == LauncherExit.stopped)
    }

    @Test func aWorkerThatDiesWhileDrainingIsReplacedForTheRunningRequests() {
        var play = Rehearsal.serving()
        play.pass(15)
        play.feed(.signal(.terminate))
        play.record = []
        play.end(.worker, .signal(9))
        #expect(play.spawns == [.worker])
    }

    @Test func aFrontThatDiesWhileDrainingEndsTheDrain() {
        var play = Rehearsal.serving()
        play.feed(.signal(.terminate))
        play.end(.front, .signal(9))
        #expect(play.stops == [.tokenizer])
        #expect(play.spawns.isEmpty)
    }

    @Test func aWorkerThatKeepsFailingWhileDrainingDoesNotHoldUpTheEnd() {
        var play = Rehearsal.serving { $0.maxRestarts = 2 }
        play.feed(.signal(.terminate))
        for _ in 0..<3 {
            play.end(.worker, .outOfMemory(limit: nil))
            play.pass(2)
        }
        #expect(play.slot(.worker).state == .failed && play.state.status == "draining")
        play.pass(33)
        #expect(play.stops.first == .front)
        for id in [ChildID.front, .tokenizer, .detokenizer] { play.end(id, .code(0)) }
        #expect(play.exitCode == LauncherExit.stopped)
    }

    @Test func aDeathWhileDrainingEndsAServerThatIsToEndWithItsChildren() {
        var play = Rehearsal.serving { $0.onFailure = .exit }
        play.feed(.signal(.terminate))
        play.end(.detokenizer, .signal(11))
        for id in [ChildID.front, .tokenizer, .worker] { play.end(id, .signal(15)) }
        #expect(play.exitCode == LauncherExit.childFailed && play.spawns.isEmpty)
    }

    @Test func aHangWhileDrainingIsReplacedToo() {
        var play = Rehearsal.serving()
        play.feed(.signal(.terminate))
        play.record = []
        play.beat(.worker, phase: "decode", milliseconds: 400_000)
        play.feed(.tick)
        #expect(play.killed(.kill) == [.worker])
        play.end(.worker, .signal(9))
        play.pass(1)
        #expect(play.spawns == [.worker])
    }

    @Test func nothingIsStartedAfterAStopDuringAPause() {
        var play = Rehearsal.serving()
        play.end(.worker, .signal(11))
        play.feed(.signal(.interrupt))
        play.pass(40)
        #expect(play.spawns.isEmpty)
    }
}
