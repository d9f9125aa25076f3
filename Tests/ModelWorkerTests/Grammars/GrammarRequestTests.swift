import Grammar
import Messages
import ModelWorker
import Testing

/// Requests whose answers have to fit a grammar, from their arrival on.
@Suite struct GrammarRequestTests {
    /// Token i is a letter.
    private static let vocabulary = Vocabulary(
        (0..<24).map { Vocabulary.Token(bytes: $0 == 20 ? [] : [UInt8(0x61 + $0)]) })
    private static let pattern = "(ab|cd)*e"
    private static let source = GrammarSource.regex(pattern)
    private static let sampling = Toy.sampling { ($0.regex, $0.maxNewTokens) = (pattern, 40) }

    private static func grammar() throws -> ServedGrammar {
        ServedGrammar(TokenMasks(try Grammar(source), vocabulary))
    }

    private func compilations(_ effects: [Effect]) -> [GrammarSource] {
        effects.compactMap { if case .compile(let source) = $0 { source } else { nil } }
    }

    /// What it makes of a request when nothing else happens.
    private func ids(of request: GenerateIDs) throws -> [Int32] {
        let player = EnginePlayer()
        _ = player.send { $0.generate = request }
        player.engine.compiled(Self.source, .success(try Self.grammar()))
        return player.finish().flatMap { $0.ids }
    }

    @Test func aRequestWaitsForItsGrammarAndHoldsNobodyUp() throws {
        let player = EnginePlayer()
        #expect(compilations(player.send { $0.generate = Toy.request(1, [1, 2], Self.sampling) }) == [Self.source])
        #expect(player.step() == nil && player.engine.awaitsGrammars)
        _ = player.send { $0.generate = Toy.request(2, [3]) }
        #expect(player.step()?.requestIds == [2])
        player.engine.compiled(Self.source, .success(try Self.grammar()))
        #expect(player.step()?.requestIds.sorted() == [1, 2] && !player.engine.awaitsGrammars)
    }

    @Test func aGrammarIsCompiledOnceForAll() throws {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, [1], Self.sampling) }
        #expect(compilations(player.send { $0.generate = Toy.request(2, [2], Self.sampling) }) == [])
        player.engine.compiled(Self.source, .success(try Self.grammar()))
        #expect(compilations(player.send { $0.generate = Toy.request(3, [3], Self.sampling) }) == [])
        #expect(player.step()?.requestIds.sorted() == [1, 2, 3])
    }

    @Test func whatCannotBeHadIsRefusedToAllWhoAsk() throws {
        let player = EnginePlayer()
        for id in UInt64(1)...2 { _ = player.send { $0.generate = Toy.request(id, [1], Self.sampling) } }
        player.engine.compiled(Self.source, .failure(GrammarError("why")))
        let refused = player.wait(0).compactMap(\.failure)
        #expect(refused.map(\.statusCode) == [400, 400])
        #expect(refused.allSatisfy { $0.message.hasPrefix("Failed to compile regex grammar: ") })
        let late = player.send { $0.generate = Toy.request(3, [1], Self.sampling) }
        #expect(late.compactMap(\.failure).map(\.statusCode) == [400] && compilations(late) == [])
        #expect(player.isIdle && !player.engine.awaitsGrammars)
    }

    @Test func whatBecameOfGrammarsIsCounted() throws {
        let player = EnginePlayer()
        for id in UInt64(1)...2 { _ = player.send { $0.generate = Toy.request(id, [1], Self.sampling) } }
        player.engine.compiled(Self.source, .success(try Self.grammar()), after: 0.3)
        _ = player.send { $0.generate = Toy.request(3, [1], Self.sampling) }
        let limits = {
            var limits = GrammarLimits(); limits.states = 10; return limits
        }()
        let beyond = try #require(throws: GrammarError.self) { try Grammar(.regex("[a-z]{40}"), limits: limits) }
        for (id, error) in [(UInt64(4), GrammarError("why")), (5, beyond)] {
            let other = Toy.sampling { $0.regex = "\(id)" }
            _ = player.send { $0.generate = Toy.request(id, [1], other) }
            player.engine.compiled(.regex("\(id)"), .failure(error), after: 1)
        }
        let state = player.send {
            $0.control = .make {
                $0.call = 9
                $0.internalState = true
            }
        }
        let grammars = try #require(state.compactMap(\.control).first?.state.counters.grammars)
        #expect(grammars.requests == 5 && grammars.hits == 1)
        #expect(grammars.refused == 2 && grammars.beyondLimits == 1)
        #expect(grammars.compileTimeSum == 2.3 && grammars.compileTimeCounts.reduce(0, +) == 3)
    }

    @Test func whoWaitsCanBeGivenUp() throws {
        let player = EnginePlayer()
        let request = Toy.request(1, [1], Self.sampling)
        _ = player.send { $0.generate = request }
        let effects = player.send { $0.abort = .make { ($0.key, $0.wantsAnswer) = (request.key, true) } }
        #expect(effects.compactMap(\.abort).map(\.message) == ["Abort in waiting queue"])
        player.engine.compiled(Self.source, .success(try Self.grammar()))
        #expect(player.step() == nil && player.isIdle)
    }

    @Test func aFlushWaitsForThoseWhoWaitAndForgetsGrammars() throws {
        let player = EnginePlayer()
        _ = player.send { $0.generate = Toy.request(1, [1], Self.sampling) }
        let flush = player.send {
            $0.control = .make {
                $0.call = 9
                $0.flushCache = .make { $0.timeoutSeconds = 60 }
            }
        }
        #expect(flush.compactMap(\.control).isEmpty)
        player.engine.compiled(Self.source, .success(try Self.grammar()))
        _ = player.finish()
        #expect(player.wait(0).compactMap(\.control).map(\.call) == [9])
        #expect(compilations(player.send { $0.generate = Toy.request(2, [1], Self.sampling) }) == [Self.source])
    }

    @Test func answersFitAndEndWithTheGrammar() throws {
        let ids = try ids(of: Toy.request(1, [1, 2], Self.sampling))
        let text = String(decoding: ids.map { UInt8(0x61 + $0) }, as: UTF8.self)
        #expect(ids.count == 40 || text.wholeMatch(of: /(ab|cd)*e/) != nil, "\(text)")
    }

    @Test func aRequestThatComesAgainGoesOnAsIfNothingHadHappened() throws {
        let whole = try ids(of: Toy.request(1, [1, 2], Self.sampling))
        try #require(whole.count > 1)
        for count in 1..<whole.count {
            let rest = try ids(
                of: Toy.request(1, [1, 2], Self.sampling) {
                    $0.resumedIds = Array(whole[..<count])
                    $0.key.attempt = 1
                })
            #expect(rest == whole, "behind \(count)")
        }
    }

    @Test func itGoesOnWithinTextThatMustComeToo() throws {
        for (number, pattern) in Toy.regexes.enumerated() {
            let sampling = Toy.sampling {
                ($0.regex, $0.maxNewTokens, $0.topK) = (pattern, 40, -1)
                ($0.seed, $0.ignoreEos) = (UInt64(number), true)
            }
            func ids(resumed: [Int32], scored: Bool = false) throws -> (ids: [Int32], frames: Int) {
                let player = EnginePlayer()
                _ = player.send {
                    $0.generate = Toy.request(1, [1, 2], sampling) {
                        $0.resumedIds = resumed
                        $0.key.attempt = 1
                        if scored { $0.logprobs = .make { $0.start = -1 } }
                    }
                }
                player.engine.compiled(.regex(pattern), .success(try #require(try Toy.grammar(of: sampling))))
                let frames = player.finish()
                return (frames.flatMap { $0.ids }, frames.count)
            }
            let whole = try ids(resumed: [])
            #expect(whole.frames < whole.ids.count, "\(pattern)")
            let scored = try ids(resumed: [], scored: true)
            #expect(scored.ids == whole.ids && scored.frames >= whole.ids.count, "\(pattern)")
            for count in 1..<whole.ids.count {
                #expect(try ids(resumed: Array(whole.ids[..<count])).ids == whole.ids, "\(pattern), behind \(count)")
            }
        }
    }
}
