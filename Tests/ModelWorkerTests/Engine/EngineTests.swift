import Logging
import Messages
import ModelWorker
import Scheduling
import Testing

/// What comes of commands.
@Suite struct EngineTests {
    private static let endless = Toy.sampling {
        $0.maxNewTokens = 60
        $0.ignoreEos = true
    }

    private func control(_ player: EnginePlayer, _ fill: (inout ControlCall) -> Void) -> ControlReply? {
        player.send {
            $0.control = .make {
                $0.call = 5
                fill(&$0)
            }
        }.compactMap(\.control).first
    }

    private func state(_ player: EnginePlayer) throws -> WorkerState {
        try #require(control(player) { $0.internalState = true }?.state)
    }

    @Test func aPausedEngineComputesNothingAndSaysSo() throws {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, [1, 2], Self.endless) }
        #expect(player.step() != nil)
        for mode: PauseGeneration.Mode in [.inPlace, .retract] {
            let reply = control(player) { $0.pause = .make { $0.mode = mode } }
            #expect(reply?.success == true && reply?.call == 5)
            #expect(player.step() == nil && player.restsUntil == .infinity)
            let state = try state(player)
            #expect(state.paused == 1 && state.running == (mode == .inPlace ? 1 : 0))
            #expect(control(player) { $0.resume = true }?.success == true)
            #expect(player.step() != nil)
        }
        #expect(try state(player).paused == 0)
    }

    @Test func aPauseThatAbortsEndsEverythingAndHoldsWhatComes() throws {
        let player = EnginePlayer()
        for id: UInt64 in 1...3 { _ = player.send { $0.generate = Toy.request(id, [1, 2], Self.endless) } }
        _ = player.step()
        let effects = player.send { $0.control = .make { $0.pause = .make { $0.mode = .abort } } }
        #expect(Set(effects.compactMap(\.abort).map(\.key.id)) == [1, 2, 3])
        #expect(effects.compactMap(\.abort).map(\.wantsAnswer) == [true, true, true])
        #expect(player.isIdle)
        #expect(try state(player).paused == 1)
        _ = player.send { $0.generate = Toy.request(4, [1, 2], Self.endless) }
        #expect(player.step() == nil)
        _ = player.send { $0.control = .make { $0.resume = true } }
        #expect(player.step()?.requestIds == [4])
    }

    @Test func aFlushWaitsForIdlenessUntilItsTimeIsOver() {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, [1, 2], Self.endless) }
        _ = player.step()
        #expect(control(player) { $0.flushCache = .make { $0.timeoutSeconds = 2 } } == nil)
        #expect(
            control(player) { $0.flushCache = FlushCache() }?.message == "Another flush_cache is already in progress.")
        let late = player.wait(3).compactMap(\.control).first
        #expect(late?.success == false && late?.message == "Timed out waiting for idle state.")
        _ = player.finish()
        #expect(control(player) { $0.flushCache = FlushCache() }?.success == true)
        let counts = player.counts
        #expect(counts.free == counts.total)
    }

    @Test func anOlderAttemptIsIgnoredAndANewerOneTakesItsPlace() throws {
        let player = EnginePlayer()
        let asked = Toy.request(1, [1, 2], Self.endless) { $0.key.attempt = 2 }
        _ = player.send { $0.generate = asked }
        _ = player.step()
        var older = asked
        older.key.attempt = 1
        #expect(player.send { $0.generate = older }.isEmpty)
        #expect(player.send { $0.abort = .make { $0.key = older.key } }.isEmpty)
        #expect(player.step()?.attempts == [2])
        var newer = asked
        newer.key.attempt = 3
        newer.resumedIds = try Array(LoneRun(asked, maxNewTokens: 60).ids.prefix(2))
        #expect(player.send { $0.generate = newer }.isEmpty)
        #expect(player.step()?.attempts == [3, 3])
        // What the attempt before had computed was kept for it.
        #expect(player.tally.cachedTokens >= 3)
    }

    @Test func aRequestIsRefusedWithTheReason() {
        var limits = EnginePlayer.roomy
        limits.slots = 40
        limits.maxQueued = 1
        limits.maxRunning = 1
        limits.refusesPriorities = true
        let player = EnginePlayer(limits)
        let cases: [(GenerateIDs, Int32, String)] = [
            (Toy.request(1, [1, 24]), 400, "out-of-vocabulary token id 24"),
            (Toy.request(1, [-1]), 400, "out-of-vocabulary token id -1"),
            (Toy.request(1, []), 400, "cannot be empty"),
            (Toy.request(1, [1], Toy.sampling { $0.stopRegex = ["("] }), 400, ""),
            (Toy.request(1, [1]) { $0.options.priority = 3 }, 503, "priority"),
            // It can never fit: there is no use in trying again.
            (Toy.request(1, [Int32](repeating: 1, count: 40)), 400, "exceeds the maximum allowed length"),
            (Toy.request(1, [1]) { $0.resumedIds = [Int32](repeating: 1, count: 40) }, 400, "Input length (41 tokens)"),
        ]
        for (request, status, words) in cases {
            let failures = player.send { $0.generate = request }.compactMap(\.failure)
            #expect(failures.count == 1 && failures[0].statusCode == status && failures[0].fromWorker, "\(words)")
            #expect(failures.first?.message.contains(words) == true, "\(failures)")
        }
        for id: UInt64 in 1...2 {
            #expect(player.send { $0.generate = Toy.request(id, [1], Self.endless) }.isEmpty)
            _ = player.step()
        }
        let full = player.send { $0.generate = Toy.request(3, [1]) }.compactMap(\.failure)
        #expect(full.first?.statusCode == 503 && full.first?.message == "The request queue is full.")
        // One that never fits is not asked to come again even when the queue is full.
        let long = player.send { $0.generate = Toy.request(3, [Int32](repeating: 1, count: 40)) }.compactMap(\.failure)
        #expect(long.first?.statusCode == 400)
    }

    @Test func whoWaitsOrRunsForTooLongIsGivenUp() {
        var limits = EnginePlayer.roomy
        limits.maxRunning = 1
        let player = EnginePlayer(limits, timeouts: RequestTimeouts(waiting: 5, running: 20))
        for id: UInt64 in 1...2 { _ = player.send { $0.generate = Toy.request(id, [1], Self.endless) } }
        _ = player.step()
        let waited = player.wait(6).compactMap(\.abort)
        #expect(waited.map(\.key.id) == [2] && waited[0].message == "Request waiting timeout reached.")
        #expect(waited[0].statusCode == 503)
        #expect(player.wait(15).compactMap(\.abort).map(\.message) == ["Request running timeout reached."])
        #expect(player.isIdle)
    }

    @Test func whatAFrontThatIsGoneAskedForIsDropped() {
        let player = EnginePlayer()
        let ids = [FrontGeneration.base(1) + 1, FrontGeneration.base(2) + 1]
        for id in ids { _ = player.send { $0.generate = Toy.request(id, [1], Self.endless) } }
        let effects = player.send { $0.livingFronts = .make { $0.generations = [2] } }
        #expect(effects.count == 1 && player.ids == [ids[1]])
    }

    @Test func tenantsWhoseKeysOnlyLookAlikeShareNoCache() throws {
        let player = EnginePlayer()
        let prompt = (0..<40).map { Int32($0 % 20) }
        var cached: [UInt32] = []
        for (id, key) in ["caf\u{E9}", "cafe\u{301}", "caf\u{E9}", "cafe\u{301}"].enumerated() {
            _ = player.send { $0.generate = Toy.request(UInt64(id), prompt) { $0.options.cacheKey = key } }
            cached.append(try #require(player.finish().first?.cachedTokens.first))
        }
        #expect(cached == [0, 0, 39, 39])
    }

    @Test func anUnknownCommandIsLoggedAndNothingElse() {
        let player = EnginePlayer()
        #expect(player.send { _ in } == [.log(.error, "a worker command of an unknown kind was ignored")])
    }
}
