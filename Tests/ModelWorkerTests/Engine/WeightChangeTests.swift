import Messages
import ModelWorker
import Scheduling
import Testing

/// When other weights take the place of the present ones.
@Suite struct WeightChangeTests {
    private static let endless = Toy.sampling {
        $0.maxNewTokens = 60
        $0.ignoreEos = true
    }

    private func order(_ player: EnginePlayer, _ number: UInt64, _ fill: (inout WeightUpdate) -> Void = { _ in })
        -> [Effect]
    {
        player.send {
            $0.control = .make {
                $0.call = number
                $0.updateWeights = .make {
                    ($0.order, $0.path, $0.loadFormat) = (number, "/new", "auto")
                    fill(&$0)
                }
            }
        }
    }

    /// The ranks are done; what comes of it.
    private func prepared(_ player: EnginePlayer) -> [Effect] {
        player.engine.ranksAreDone(.success([]))
        return player.wait(0)
    }

    private func exchange(_ effects: [Effect]) -> ServedWeights? {
        for case .exchangeWeights(let served?, _) in effects { return served }
        return nil
    }

    @Test func allGoesOnWhileTheWeightsAreBeingPrepared() {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, [1, 2], Self.endless) }
        _ = player.step()
        #expect(order(player, 7).contains(.prepareWeights(path: "/new", loadFormat: "auto")))
        _ = player.send { $0.generate = Toy.request(2, [3], Self.endless) }
        #expect(player.step()?.requestIds.sorted() == [1, 2] && player.engine.awaitsRanks)
    }

    @Test func newRequestsWaitUntilThoseThatBeganAreOver() throws {
        let player = EnginePlayer()
        _ = player.send {
            $0.generate = Toy.request(1, [1, 2], Toy.sampling { ($0.maxNewTokens, $0.ignoreEos) = (4, true) })
        }
        _ = player.step()
        _ = order(player, 7)
        #expect(exchange(prepared(player)) == nil)
        _ = player.send { $0.generate = Toy.request(2, [3], Self.endless) }
        for _ in 0..<3 { #expect(player.step()?.requestIds == [1]) }
        #expect(player.counts.running == 0)
        let served = try #require(exchange(player.wait(0)))
        #expect(served.number == 1 && served.pureSince == 1 && served.order == 7 && served.path == "/new")
        #expect(player.step() == nil || player.counts.running == 0)
        player.engine.weightsChanged(to: served)
        let replies = player.wait(0).compactMap(\.control)
        #expect(replies.map(\.call) == [7] && replies[0].message == "Succeeded to update model weights.")
        let frame = try #require(player.step())
        #expect(frame.requestIds == [2] && frame.weights == 1)
    }

    @Test func theLastRequestsEndIsTheMomentOfTheChange() {
        let player = EnginePlayer()
        _ = player.send {
            $0.generate = Toy.request(1, [1, 2], Toy.sampling { ($0.maxNewTokens, $0.ignoreEos) = (2, true) })
        }
        _ = player.step()
        _ = order(player, 7)
        #expect(exchange(prepared(player)) == nil && player.restsUntil == nil)
        _ = player.step()
        #expect(player.isIdle && player.restsUntil == 0, "nobody has to come for it to happen")
        #expect(exchange(player.wait(0)) != nil)
    }

    @Test func stoppedRequestsGoOnWithTheNewOnes() throws {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, [1, 2], Self.endless) }
        #expect(player.step()?.weights == 0)
        _ = player.send { $0.control = .make { $0.pause = .make { $0.mode = .inPlace } } }
        _ = order(player, 7)
        let served = try #require(exchange(prepared(player)))
        #expect(served.number == 1 && served.pureSince == 0)
        player.engine.weightsChanged(to: served)
        let reply = try #require(player.wait(0).compactMap(\.control).first)
        #expect(
            !reply.success && reply.message.hasPrefix("Weights were updated, but the cache was not flushed because"))
        _ = player.send { $0.control = .make { $0.resume = true } }
        #expect(player.step()?.weights == 1)
    }

    @Test func anOrderThatComesAgainIsObeyedOnce() throws {
        let player = EnginePlayer()
        _ = order(player, 7)
        #expect(!order(player, 7).contains(.prepareWeights(path: "/new", loadFormat: "auto")))
        let served = try #require(exchange(prepared(player)))
        player.engine.weightsChanged(to: served)
        #expect(player.wait(0).compactMap(\.control).map(\.call) == [7, 7])
        let again = order(player, 7)
        #expect(again.compactMap(\.control).map(\.success) == [true] && !player.engine.awaitsRanks)
    }

    @Test func aFailureAbortsNobodyAndTheNextOrderFollows() throws {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, [1, 2], Self.endless) }
        _ = player.step()
        _ = order(player, 7) { $0.abortsRequests = true }
        _ = order(player, 8)
        player.engine.ranksAreDone(.failure(RankJobFailure(message: "broken")))
        let effects = player.wait(0)
        #expect(effects.compactMap(\.control).map(\.message) == ["broken"] && effects.contains(.discardWeights))
        #expect(effects.contains(.prepareWeights(path: "/new", loadFormat: "auto")) && player.counts.running == 1)
    }

    @Test func whatCouldNotBeWrittenDownDoesNotHappen() throws {
        let player = EnginePlayer()
        _ = order(player, 7)
        let served = try #require(exchange(prepared(player)))
        player.engine.weightsChanged(to: served, isWritten: false)
        let effects = player.wait(0)
        #expect(effects.compactMap(\.control).map(\.success) == [false] && effects.contains(.discardWeights))
        _ = player.send { $0.generate = Toy.request(1, [1, 2], Self.endless) }
        #expect(player.step()?.weights == 0)
    }

    @Test func idsOfOtherWeightsAreContinuedOnlyWhereThatWasAskedFor() {
        var served = ServedWeights()
        (served.number, served.pureSince) = (5, 3)
        for (number, isTaken) in [(2, false), (3, true), (5, true), (6, false)] as [(UInt64, Bool)] {
            var engine = Toy.engine(EnginePlayer.roomy, served: served)
            engine.obey(
                .make {
                    $0.generate = Toy.request(1, [1, 2], Self.endless) {
                        ($0.resumedIds, $0.resumedWeights) = ([4], number)
                    }
                }, now: 1)
            #expect(engine.takeEffects().compactMap(\.failure).isEmpty == isTaken, "\(number)")
        }
    }

    @Test func memoryIsReleasedOnlyByAnIdleEngineAndRequestsWaitForIt() {
        let player = EnginePlayer()
        func order(_ tags: [String], release: Bool, standing: Bool = false) -> [Effect] {
            player.send {
                $0.control = .make {
                    let order = MemoryOrder.make { ($0.tags, $0.isStanding) = (tags, standing) }
                    if release { $0.releaseMemory = order } else { $0.resumeMemory = order }
                }
            }
        }
        _ = player.send { $0.generate = Toy.request(1, [1, 2], Toy.sampling { $0.maxNewTokens = 1 }) }
        #expect(order(["weights"], release: true).compactMap(\.control).map(\.success) == [false])
        _ = player.finish()
        #expect(order(["weights"], release: false).compactMap(\.control).map(\.success) == [false])
        let effects = order(["weights", "kv_cache"], release: true)
        #expect(effects.contains(.releaseWeights) && effects.contains(.releaseCache) && player.counts.cached == 0)
        _ = player.send { $0.generate = Toy.request(2, [1, 2], Self.endless) }
        #expect(player.step() == nil)
        #expect(order(["weights"], release: true).compactMap(\.control).map(\.success) == [true], "it is so already")
        #expect(order(["kv_cache"], release: false).contains(.restoreCache) && player.step() == nil)
        _ = order(["weights"], release: false)
        #expect(player.engine.awaitsRanks && player.step() == nil)
        #expect(prepared(player).contains(.exchangeWeights(nil, removesOld: false)))
        player.engine.weightsChanged(to: nil)
        #expect(player.step()?.requestIds == [2])
        // A standing order finds requests that came before it.
        #expect(order(["kv_cache"], release: true, standing: true).contains(.releaseCache))
        #expect(player.step() == nil)
    }

    @Test func hiddenStatesComeOncePerIdAndThePromptOnce() {
        let player = EnginePlayer()
        let prompt: [Int32] = (0..<70).map { $0 % 20 }
        _ = player.send {
            $0.generate = Toy.request(1, prompt, Toy.sampling { ($0.maxNewTokens, $0.ignoreEos) = (3, true) }) {
                $0.options.hiddenStates = .everyRow
            }
        }
        let frames = player.finish()
        let hidden = frames.flatMap(\.hidden)
        #expect(hidden.map(\.row) == [0, 0, 0] && hidden.allSatisfy { $0.width == 3 })
        #expect(hidden[0].inputNumbers == (1..<70).flatMap { ToyModel.hidden(behind: prompt[..<$0]) })
        #expect(hidden.dropFirst().allSatisfy { $0.input.isEmpty })
        let ids = frames.flatMap(\.ids)
        for (index, frame) in hidden.enumerated() {
            #expect(frame.outputNumbers == ToyModel.hidden(behind: prompt + ids.prefix(index)))
        }
    }

    @Test func vectorsNeedTheModelsWidthAndNoPrefixCache() {
        var limits = EnginePlayer.roomy
        func failures(width: Int) -> [Failure] {
            let player = EnginePlayer(limits)
            return player.send {
                $0.generate = Toy.request(1, [0, 0], Self.endless) {
                    $0.vectors = PromptVectors(Array(repeating: 0.5, count: 2 * width), width: width)
                }
            }.compactMap(\.failure)
        }
        #expect(failures(width: 3).map(\.statusCode) == [400])
        limits.usesPrefixCache = false
        #expect(failures(width: 3) == [] && failures(width: 4).map(\.statusCode) == [400])
    }
}
