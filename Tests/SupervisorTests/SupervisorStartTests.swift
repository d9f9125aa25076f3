import Messages
import Supervisor
import Testing

/// The first start as whoever reads the log sees it.
@Suite struct SupervisorStartTests {
    private func starting(_ configure: (inout SupervisorPolicy) -> Void = { _ in }) -> Rehearsal {
        var play = Rehearsal(configure)
        play.feed(.start)
        for id in play.state.slots.map(\.id) { play.report(id, .hello) }
        return play
    }

    /// Everybody who was told to go goes.
    private func cleared(_ play: Rehearsal) -> Rehearsal {
        var play = play
        for id in play.living.keys.sorted(by: { $0.order < $1.order }) { play.end(id, .signal(15)) }
        return play
    }

    @Test func oneLineTellsTheCauseInTheWordsOfTheProcess() {
        var play = starting()
        play.end(.worker, .code(1), words: "/m/config.json: no such file", lines: ["loading", "half done"])
        play = cleared(play)
        #expect(play.logs == ["Start failed. sglang::scheduler: /m/config.json: no such file"])
        #expect(play.exitCode == LauncherExit.startFailed)
    }

    @Test func aCauseThatSeveralFindIsToldOnce() {
        var play = starting { $0.ranks = 2 }
        for id in [ChildID.worker1, .worker, .tokenizer] { play.end(id, .code(1), words: "/m: no such folder") }
        play = cleared(play)
        #expect(play.logs == ["Start failed. sglang::scheduler_TP1: /m: no such folder"])
        #expect(play.exitCode == LauncherExit.startFailed)
    }

    @Test func whatFailsForAnotherReasonMeanwhileIsToldToo() {
        var play = starting()
        play.end(.tokenizer, .code(1), words: "tokenizer.json: not JSON")
        play.end(.worker, .code(1), words: "config.json: not JSON")
        play = cleared(play)
        #expect(
            play.logs == [
                "Start failed. sglang::tokenizer_manager: tokenizer.json: not JSON",
                "Start failed. sglang::scheduler: config.json: not JSON",
            ])
    }

    @Test func aProcessWithoutWordsIsToldByItsExitCode() {
        var play = starting()
        play.end(.front, .code(70))
        #expect(play.logs == ["Start failed. sglang::http: exit code 70"])
    }

    @Test(arguments: [UInt64(256 << 20), nil])
    func tooLittleMemoryEndsTheStart(limit: UInt64?) {
        var play = starting()
        play.end(.worker, .outOfMemory(limit: limit))
        play = cleared(play)
        #expect(play.spawns.count == 4 && play.exitCode == LauncherExit.startFailed)
        #expect(play.logs.count == 1 && play.logs[0].hasPrefix("Start failed. sglang::scheduler: out of memory"))
        #expect(play.logs[0].contains("--max-total-tokens"))
        #expect(play.logs[0].contains("256 MiB") == (limit != nil))
    }

    @Test func tooLittleMemoryInTheWarmUpEndsTheStartToo() {
        var play = starting()
        play.bringUp()
        play.end(.worker, .outOfMemory(limit: nil))
        play = cleared(play)
        #expect(play.exitCode == LauncherExit.startFailed && play.logs.count == 1)
    }

    @Test func aCrashLoopAtTheStartEndsWithoutAdviceThatComesTooLate() {
        var play = starting { $0.maxRestarts = 1 }
        for _ in 0..<2 {
            play.end(.worker, .signal(11))
            play.pass(1)
        }
        #expect(
            play.logs.last == "Start failed. sglang::scheduler failed 2 times: sglang::scheduler: killed by SIGSEGV")
        #expect(!play.logs.contains { $0.contains("srt restart") })
        #expect(cleared(play).exitCode == LauncherExit.startFailed)
    }

    @Test func aProcessThatLeavesWithoutAWordIsTriedAgain() {
        var play = starting { $0.maxRestarts = 1 }
        play.end(.detokenizer, .code(0))
        play.pass(1)
        #expect(play.spawns.last == .detokenizer && play.exitCode == nil)
        play.end(.detokenizer, .code(0))
        #expect(play.logs.last?.contains("exit code 0 without being asked to end") == true)
        #expect(cleared(play).exitCode == LauncherExit.startFailed)
    }

    @Test func whoeverIsSignalledAgainAfterAFailedStartChangesNothing() {
        var play = starting()
        play.end(.worker, .code(1), words: "no model")
        play.feed(.signal(.terminate))
        play.feed(.signal(.interrupt))
        play = cleared(play)
        #expect(play.logs == ["Start failed. sglang::scheduler: no model"])
        #expect(play.exitCode == LauncherExit.startFailed)
    }

    @Test func aProcessThatDoesNotGoAfterAFailedStartIsKilled() {
        var play = starting()
        play.end(.worker, .code(1), words: "no model")
        play.pass(1.1)
        #expect(Set(play.killed(.kill)) == [.front, .tokenizer, .detokenizer])
    }

    // MARK: Readiness

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
}
