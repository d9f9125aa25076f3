import Messages
import Supervisor
import Testing

@Suite struct SupervisorStateTests {
    // MARK: Start

    @Test func startsEverythingAtOnceAndServesAfterTheWarmUp() {
        var play = Rehearsal { $0.ranks = 2 }
        play.feed(.start)
        #expect(play.spawns == [.front, .tokenizer, .worker, .worker1, .detokenizer])
        play.bringUp()
        #expect(play.record.contains(.startWarmup(attempt: 1)))
        #expect(!play.state.isServing)
        play.feed(.warmupEnded(attempt: 1, failure: nil))
        #expect(play.state.isServing)
        #expect(play.logs.last == "The server is fired up and ready to roll!")
    }

    @Test func servesWithoutAWarmUpWhenToldSo() {
        var play = Rehearsal { $0.warmup = false }
        play.feed(.start)
        play.bringUp()
        #expect(play.state.isServing)
        #expect(!play.record.contains(.startWarmup(attempt: 1)))
    }

    @Test func waitsForEveryRoleBeforeTheWarmUp() {
        var play = Rehearsal()
        play.feed(.start)
        for id in [ChildID.front, .tokenizer, .worker] {
            play.report(id, .hello)
            play.report(id, .ready(nil))
        }
        #expect(!play.record.contains(.startWarmup(attempt: 1)))
        play.report(.detokenizer, .ready(nil))
        #expect(play.record.contains(.startWarmup(attempt: 1)))
    }

    @Test func keepsTheModelFactsOfRankZero() {
        var play = Rehearsal { $0.ranks = 2 }
        play.feed(.start)
        play.report(.worker1, .ready(.make { $0.contextLength = 1 }))
        play.report(.worker, .ready(.make { $0.contextLength = 2048 }))
        #expect(play.state.topology(at: play.now).model.contextLength == 2048)
    }

    @Test func aWorkerThatCannotLoadEndsTheStartWithItsLastWords() {
        var play = Rehearsal()
        play.feed(.start)
        play.report(.worker, .hello)
        play.end(.worker, .code(1), lines: ["config.json: no such file"])
        #expect(play.logs.contains { $0.contains("config.json: no such file") })
        #expect(Set(play.killed(.terminate)) == [.front, .tokenizer, .detokenizer])
        for id in [ChildID.front, .tokenizer, .detokenizer] { play.end(id, .signal(15)) }
        #expect(play.exitCode == LauncherExit.startFailed)
        #expect(play.spawns.count == 4)
    }

    @Test func aProcessThatCannotBeStartedEndsTheStart() {
        var play = Rehearsal()
        play.unspawnable = [.detokenizer]
        play.feed(.start)
        #expect(play.logs.contains { $0.contains("could not be started: no memory") })
        for id in [ChildID.front, .tokenizer, .worker] { play.end(id, .signal(15)) }
        #expect(play.exitCode == LauncherExit.startFailed)
    }

    @Test func aProcessKilledWhileItLoadsIsStartedAgain() {
        var play = Rehearsal()
        play.feed(.start)
        play.end(.worker, .signal(9))
        play.pass(1)
        #expect(play.slot(.worker).generation == 2)
        play.bringUp()
        play.feed(.warmupEnded(attempt: 1, failure: nil))
        #expect(play.state.isServing)
    }

    @Test func aSilentStartIsNamedWithRoleAndRank() {
        var play = Rehearsal { $0.ranks = 2 }
        play.feed(.start)
        for id in [ChildID.front, .tokenizer, .worker, .detokenizer] { play.report(id, .ready(nil)) }
        play.report(.worker1, .progress(stage: "loading weights", fraction: 0.4))
        play.pass(61)
        #expect(
            play.logs.contains {
                $0.contains("sglang::scheduler_TP1") && $0.contains("rank 1") && $0.contains("loading")
            })
        for id in play.living.keys { play.end(id, .signal(15)) }
        #expect(play.exitCode == LauncherExit.startFailed)
    }

    @Test func progressKeepsAStartAlive() {
        var play = Rehearsal()
        play.feed(.start)
        for id in [ChildID.front, .tokenizer, .detokenizer] { play.report(id, .ready(nil)) }
        for step in 0..<10 {
            play.pass(50)
            play.report(.worker, .progress(stage: "loading weights", fraction: Double(step) / 10))
        }
        #expect(play.exitCode == nil && play.slot(.worker).state == .loading)
    }

    @Test func aFailedWarmUpEndsTheStart() {
        var play = Rehearsal()
        play.feed(.start)
        play.bringUp()
        play.feed(.warmupEnded(attempt: 1, failure: "HTTP/1.1 500"))
        #expect(play.logs.contains("Initialization failed. warmup error: HTTP/1.1 500"))
        for id in play.living.keys { play.end(id, .code(0)) }
        #expect(play.exitCode == LauncherExit.startFailed)
    }

    @Test func aWarmUpThatWentDownWithItsFrontIsSentAgain() {
        var play = Rehearsal()
        play.feed(.start)
        play.bringUp()
        play.end(.front, .signal(9))
        play.feed(.warmupEnded(attempt: 1, failure: "the connection was closed without an answer"))
        #expect(play.exitCode == nil && !play.state.hasServed)
        play.pass(1)
        play.bringUp()
        #expect(play.record.contains(.startWarmup(attempt: 2)))
        play.feed(.warmupEnded(attempt: 2, failure: nil))
        #expect(play.state.isServing)
    }

    // MARK: Death and restart

    @Test func aHealthyProcessIsReplacedAtOnce() {
        var play = Rehearsal.serving()
        play.pass(11)
        play.record = []
        play.end(.detokenizer, .signal(9))
        #expect(play.spawns == [.detokenizer])
        #expect(play.slot(.detokenizer).generation == 2)
        #expect(play.slot(.detokenizer).restarts == 1)
        #expect(play.slot(.detokenizer).lastExit?.cause == .signal(9))
        #expect(play.logs.first?.contains("died: killed by SIGKILL") == true)
        #expect(!play.state.isServing)
        play.bringUp()
        #expect(play.state.isServing)
    }

    @Test func aYoungProcessWaitsHalfASecond() {
        var play = Rehearsal.serving()
        play.end(.tokenizer, .signal(11))
        #expect(play.spawns.isEmpty)
        #expect(play.slot(.tokenizer).state == .backoff)
        play.pass(0.5)
        #expect(play.spawns == [.tokenizer])
    }

    @Test func exitZeroWithoutBeingAskedIsAFailure() {
        var play = Rehearsal.serving()
        play.end(.worker, .code(0))
        #expect(play.logs.first?.contains("without being asked") == true)
        play.pass(1)
        #expect(play.spawns == [.worker])
    }

    @Test func theRanksOfTheWorkerAreReplacedTogether() {
        var play = Rehearsal.serving { $0.ranks = 2 }
        play.pass(20)
        play.record = []
        play.end(.worker1, .signal(9))
        #expect(play.killed(.kill) == [.worker])
        #expect(play.spawns.isEmpty)
        play.end(.worker, .signal(9))
        #expect(play.spawns == [.worker, .worker1])
        #expect(play.slot(.worker).generation == 2 && play.slot(.worker1).generation == 2)
    }

    @Test func pausesDoubleAndEndInGivingUp() {
        var play = Rehearsal.serving { $0.maxRestarts = 8 }
        var pauses: [Double] = []
        for _ in 0..<8 {
            play.record = []
            play.end(.worker, .signal(11))
            let died = play.now
            while play.spawns.isEmpty { play.pass(0.05) }
            pauses.append(play.now - died)
        }
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 <= $1 + 0.01 })
        #expect(pauses[0] <= 0.56 && pauses[1] > 0.7 && pauses[7] > 20 && pauses[7] <= 30.1)
        play.end(.worker, .signal(11))
        #expect(play.slot(.worker).state == .failed)
        play.pass(100)
        #expect(play.living[.worker] == nil && play.exitCode == nil)
        #expect(play.state.status == "degraded")
    }

    @Test func aHealthyMinuteForgivesEarlierFailures() {
        var play = Rehearsal.serving { $0.maxRestarts = 1 }
        play.pass(61)
        for _ in 0..<5 {
            play.end(.worker, .signal(6))
            play.pass(0.1)
            play.bringUp()
            play.pass(61)
        }
        #expect(play.slot(.worker).state == .ready)
        #expect(play.slot(.worker).restarts == 5)
    }

    @Test func whoeverKillsFromOutsideGetsAReplacementAtOnceEachTime() {
        var play = Rehearsal.serving { $0.ranks = 2 }
        for kill in 0..<200 {
            play.record = []
            play.end(kill % 2 == 0 ? .worker : .worker1, .signal(kill % 3 == 0 ? 15 : 9))
            play.end(kill % 2 == 0 ? .worker1 : .worker, .signal(9))
            #expect(play.spawns == [.worker, .worker1])
            play.bringUp()
            play.pass(3)
            #expect(play.state.isServing)
        }
        #expect(play.slot(.worker).restarts == 200)
    }

    @Test func whatIsKilledAllTheTimeIsGivenUpInTheEnd() {
        var play = Rehearsal.serving()
        while play.slot(.worker).state != .failed, play.slot(.worker).restarts < 1000 {
            play.end(.worker, .signal(9))
            play.bringUp()
            play.pass(0.5)
        }
        #expect(play.slot(.worker).state == .failed && play.slot(.worker).restarts >= 30)
    }

    @Test func onlyTheRankThatFailedIsAtFault() {
        var play = Rehearsal.serving { $0.ranks = 2 }
        play.end(.worker1, .signal(11))
        play.end(.worker, .signal(9))
        #expect(play.slot(.worker1).lastExit?.isOwnFault == true)
        #expect(play.slot(.worker).lastExit?.isOwnFault == false)
        play.pass(1)
        play.bringUp()
        play.end(.worker, .signal(9))
        play.end(.worker1, .signal(9))
        #expect(play.slot(.worker1).lastExit?.isOwnFault == false, "of the latest life only")
        play.pass(1)
        play.bringUp()
        play.beat(.worker, phase: "decode", milliseconds: 400_000)
        play.pass(0.5, except: [.worker])
        play.end(.worker, .signal(9))
        #expect(play.slot(.worker).lastExit?.isOwnFault == true, "a hang")
    }

    @Test func anOldGenerationIsNotHeard() {
        var play = Rehearsal.serving()
        play.pass(11)
        play.end(.worker, .signal(9))
        play.feed(.report(.worker, generation: 1, .ready(nil)))
        #expect(play.slot(.worker).state == .spawned)
    }

    @Test func childFailureEndsTheServerWhenToldSo() {
        var play = Rehearsal.serving { $0.onFailure = .exit }
        play.end(.detokenizer, .signal(9))
        for id in play.living.keys { play.end(id, .signal(15)) }
        #expect(play.exitCode == LauncherExit.childFailed)
        #expect(play.spawns.isEmpty)
    }

    // MARK: Hangs

    @Test func aLateHeartbeatMakesTheServerUnhealthy() {
        var play = Rehearsal.serving()
        play.pass(4, except: [.worker])
        #expect(!play.state.isServing)
        #expect(play.slot(.worker).isLate && play.slot(.worker).state == .ready)
        play.beat(.worker)
        #expect(play.state.isServing)
    }

    @Test func aLostHeartbeatIsAHangAndIsReplaced() {
        var play = Rehearsal.serving()
        play.pass(10.6, except: [.worker])
        #expect(play.slot(.worker).state == .hung)
        #expect(play.killed(.kill) == [.worker])
        play.end(.worker, .signal(9))
        #expect(play.slot(.worker).lastExit?.reason.contains("no heartbeat") == true)
        play.pass(1)
        #expect(play.slot(.worker).generation == 2)
    }

    @Test(arguments: [
        ("prefill", 299.0, false), ("prefill", 301, true), ("decode", 301, true), ("working", 40, false),
        ("receiving", 9, false), ("receiving", 11, true), ("idle", 100_000, false), ("stopping", 1000, false),
    ])
    func aPhaseHasItsLimit(phase: String, lasts: Double, hangs: Bool) {
        var play = Rehearsal.serving()
        play.beat(.worker, phase: phase, milliseconds: UInt64(lasts * 1000))
        play.feed(.tick)
        #expect((play.slot(.worker).state == .hung) == hangs)
    }

    @Test func theLaunchersOwnAbsenceIsNobodysHang() {
        var play = Rehearsal.serving()
        play.feed(.tick)
        play.now += 3600
        play.feed(.tick)
        #expect(play.killed(.kill).isEmpty)
    }
}
