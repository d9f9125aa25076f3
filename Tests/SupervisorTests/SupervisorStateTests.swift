import Messages
import Supervisor
import Testing

@Suite struct SupervisorStateTests {
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

    // MARK: Memory and last words

    @Test func memoryThatRunsOutLaterCountsAsTheProcesssOwnFault() {
        var play = Rehearsal.serving { $0.maxRestarts = 2 }
        play.end(.worker, .outOfMemory(limit: 1 << 30))
        #expect(play.spawns.isEmpty && play.slot(.worker).state == .backoff)
        #expect(
            play.logs.contains { $0.contains("died: out of memory: killed by the kernel") && $0.contains("1024 MiB") })
        let exit = play.state.topology(at: play.now).processes.first { $0.role == .scheduler }!.lastExit
        #expect(exit.signal == 9 && exit.ownFault && exit.reason.contains("out of memory"))
        for _ in 0..<2 {
            while play.living[.worker] == nil { play.pass(0.5) }
            play.end(.worker, .outOfMemory(limit: 1 << 30))
        }
        #expect(play.slot(.worker).state == .failed && play.exitCode == nil)
    }

    @Test func aRankWithoutMemoryIsAtFaultAndTheOthersAreNot() {
        var play = Rehearsal.serving { $0.ranks = 2 }
        play.end(.worker1, .outOfMemory(limit: nil))
        play.end(.worker, .signal(9))
        #expect(play.slot(.worker1).lastExit?.isOwnFault == true && play.slot(.worker).lastExit?.isOwnFault == false)
    }

    @Test func theWordsOfAReplacedProcessBecomeItsLastExit() {
        var play = Rehearsal.serving()
        play.end(.worker, .code(1), words: "/m/model.safetensors: no such file", lines: ["a line"])
        #expect(play.slot(.worker).lastExit?.reason == "/m/model.safetensors: no such file (exit code 1)")
        #expect(play.logs.first?.hasSuffix("died: /m/model.safetensors: no such file (exit code 1)") == true)
    }
}
