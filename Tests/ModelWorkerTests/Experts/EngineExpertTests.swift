import Logging
import Messages
import ModelWorker
import Models
import Scheduling
import ServerSettings
import Testing

/// What an engine tells of the experts that tokens take.
@Suite struct EngineExpertTests {
    private static let traits = ExpertTraits(layers: 3, count: 7, each: 2)

    private func player(
        _ mode: ServerSettings.ExpertRecorderMode? = .stat, capacity: Int? = 50,
        limits: SchedulerLimits = EnginePlayer.roomy
    ) -> EnginePlayer {
        EnginePlayer(limits) {
            $0.experts = Self.traits
            $0.expertRecorderMode = mode
            $0.expertRecorderBufferSize = capacity
            $0.returnsRoutedExperts = true
        }
    }

    /// What comes of an order about the record.
    private func order(_ player: EnginePlayer, _ action: ExpertRecording.Action) -> [Effect] {
        player.send {
            $0.control = .make {
                $0.call = 9
                $0.experts = .make { $0.action = action }
            }
        }
    }

    private func dump(_ player: EnginePlayer) throws -> ExpertRecord {
        let effects = order(player, .dump)
        guard case .writeExperts(call: 9, let record)? = effects.first, effects.count == 1 else {
            throw Failure(effects: effects)
        }
        return record
    }

    private struct Failure: Error { let effects: [Effect] }

    private func lines(_ effects: [Effect], _ level: Logger.Level) -> [String] {
        effects.compactMap { if case .log(level, let line) = $0 { line } else { nil } }
    }

    private func generate(_ player: EnginePlayer, _ id: UInt64, _ prompt: [Int32], tokens: Int32) -> [Int32] {
        let sampling = Toy.sampling {
            $0.maxNewTokens = tokens
            $0.ignoreEos = true
        }
        _ = player.send { $0.generate = Toy.request(id, prompt, sampling) { $0.options.routedExpertsFrom = 0 } }
        return player.finish().flatMap(\.routedExperts).flatMap(\.ids)
    }

    /// The layers' experts of every position but the last of some tokens.
    private func expected(_ tokens: [Int32], from start: Int = 0) -> [Int32] {
        (start..<tokens.count - 1).flatMap { position in
            (0..<Self.traits.layers).flatMap { layer in
                let chosen = ToyModel.experts(Self.traits, behind: tokens[...position], layer: layer)
                return chosen.isEmpty ? [Int32](repeating: 0, count: Self.traits.each) : chosen
            }
        }
    }

    private func output(_ prompt: [Int32], _ count: Int32) throws -> [Int32] {
        let sampling = Toy.sampling {
            $0.maxNewTokens = count
            $0.ignoreEos = true
        }
        return try LoneRun(Toy.request(1, prompt, sampling), maxNewTokens: Int(count)).ids
    }

    // MARK: The record

    @Test func aRecordCountsEveryTokenThatWasComputedExpertByExpert() throws {
        let player = player()
        _ = generate(player, 1, [1, 2, 3], tokens: 4)
        let started = order(player, .start)
        #expect(started.compactMap(\.control).first?.success == true)
        #expect(lines(started, .info) == ["Resetting ExpertDistributionRecorder..."])
        let prompt: [Int32] = [4, 5, 6, 7, 8]
        _ = generate(player, 2, prompt, tokens: 3)
        #expect(order(player, .stop).compactMap(\.control).first?.success == true)
        _ = generate(player, 3, [9, 10], tokens: 2)
        let record = try dump(player)
        var sums = [Int32](repeating: 0, count: 21)
        for pass in record.passes { for place in sums.indices { sums[place] += pass.counts[place] } }
        // Five prompt tokens and two steps behind the first new token.
        let tokens = prompt + (try output(prompt, 3))
        for layer in 1..<3 {
            let all = (0..<7).flatMap { ToyModel.experts(Self.traits, behind: tokens[...$0], layer: layer) }
            for expert in 0..<7 { #expect(sums[layer * 7 + expert] == all.count { $0 == Int32(expert) }) }
            let sum: Int32 = sums[layer * 7..<(layer + 1) * 7].reduce(0, +)
            #expect(sum == 14)
        }
        #expect(sums[..<7].allSatisfy { $0 == 0 }, "the first layer has no experts")
        #expect(try dump(player).passes.isEmpty, "a dump forgets")
    }

    @Test func theLastPassesAreKept() throws {
        let player = player(.perPass, capacity: 3)
        _ = order(player, .start)
        _ = generate(player, 1, [1, 2], tokens: 6)
        let record = try dump(player)
        #expect(record.passes.map(\.number) == [4, 5, 6])
        _ = generate(player, 2, [1, 2, 3], tokens: 1)
        #expect(try dump(player).passes.map(\.number) == [7], "a dump leaves the recording on")
        let endless = self.player(.perPass, capacity: nil)
        _ = order(endless, .start)
        _ = generate(endless, 1, [1, 2], tokens: 6)
        #expect(try dump(endless).passes.count == 6)
    }

    @Test func everyTokensChoiceIsRecordedWhereAskedFor() throws {
        let player = player(.perToken)
        _ = order(player, .start)
        _ = generate(player, 1, [3, 1, 4], tokens: 2)
        let passes = try dump(player).passes
        #expect(passes.map { $0.tokens?.ids.count } == [3, 1])
        #expect(passes[0].tokens?.ids == [3, 1, 4] && passes[0].tokens?.positions == [0, 1, 2])
        #expect(passes[0].tokens?.mode == 1 && passes[0].tokens?.lengths == [3])
        #expect(passes[1].tokens?.mode == 2 && passes[1].tokens?.lengths == nil)
        let second = (0..<3).flatMap { ToyModel.experts(Self.traits, behind: [3, 1, 4][...$0], layer: 1) }
        let chosen = try #require(passes[0].tokens?.chosen)
        #expect(Array(chosen[6..<12]) == second)
        #expect(Array(chosen[..<6]) == [Int32](repeating: -1, count: 6))
    }

    @Test func startingTwiceForgetsAndStoppingTwiceWarns() throws {
        let player = player()
        #expect(lines(order(player, .stop), .warning).count == 1)
        _ = order(player, .start)
        _ = generate(player, 1, [1, 2], tokens: 1)
        #expect(lines(order(player, .start), .warning).count == 1)
        #expect(try dump(player).passes.isEmpty)
        #expect(lines(order(player, .stop), .warning).isEmpty)
    }

    @Test func aNewWorkerThatIsToldToGoOnSaysWhatIsLost() throws {
        let player = player()
        let told = order(player, .resume)
        #expect(lines(told, .warning).first?.contains("is lost") == true)
        _ = generate(player, 1, [1, 2], tokens: 1)
        #expect(lines(order(player, .resume), .warning).isEmpty, "a new front tells a worker that knows")
        #expect(try dump(player).passes.count == 1)
        _ = order(player, .rest)
        _ = generate(player, 2, [1, 2, 3], tokens: 1)
        #expect(try dump(player).passes.isEmpty)
    }

    @Test func aRecordThatFoundNoPlaceIsKept() throws {
        let player = player()
        _ = order(player, .start)
        _ = generate(player, 1, [1, 2], tokens: 1)
        let record = try dump(player)
        player.engine.wrote(record, call: 9, to: Result<String, Failure>.failure(Failure(effects: [])))
        let failed = player.engine.takeEffects()
        #expect(failed.compactMap(\.control).first?.success == false)
        let again = try dump(player)
        #expect(again == record)
        player.engine.wrote(again, call: 9, to: Result<String, Failure>.success("/tmp/x.pt"))
        let written = player.engine.takeEffects()
        #expect(written.compactMap(\.control).first?.message == "/tmp/x.pt")
        #expect(try dump(player).passes.isEmpty)
    }

    @Test func withoutAModeOrExpertsEveryOrderIsRefused() throws {
        let hint = "Please set ServerArgs.expert_distribution_recorder_mode to use ExpertDistributionRecorder."
        let withoutMode = player(nil)
        let dense = EnginePlayer { $0.expertRecorderMode = .stat }
        for action: ExpertRecording.Action in [.start, .stop, .dump, .resume, .rest] {
            let first = order(withoutMode, action).compactMap(\.control).first
            #expect(first?.success == false && first?.message == hint)
            let second = order(dense, action).compactMap(\.control).first
            #expect(second?.success == false && second?.message.hasPrefix(hint) == true)
        }
    }

    // MARK: Answers

    @Test func anAnswerTellsTheExpertsOfAllTokensButTheLast() throws {
        let player = player()
        let prompt: [Int32] = [1, 2, 3, 4]
        let found = generate(player, 1, prompt, tokens: 5)
        #expect(found == expected(prompt + (try output(prompt, 5))))
    }

    @Test func whatCameFromTheCacheIsKnownToo() throws {
        let player = player()
        let prompt: [Int32] = [1, 2, 3, 4, 5, 6]
        let first = generate(player, 1, prompt, tokens: 3)
        #expect(generate(player, 2, prompt, tokens: 3) == first)
        #expect(player.tally.cachedTokens > 0)
        let longer = generate(player, 3, prompt + [7, 8], tokens: 1)
        #expect(longer == expected(prompt + [7, 8, 0]))
    }

    @Test func anotherAttemptTellsTheSame() throws {
        let prompt: [Int32] = [5, 4, 3]
        let whole = generate(player(), 1, prompt, tokens: 6)
        let output = try output(prompt, 6)
        for known in 1..<6 {
            let player = player()
            let sampling = Toy.sampling {
                $0.maxNewTokens = 6
                $0.ignoreEos = true
            }
            let request = Toy.request(1, prompt, sampling) {
                $0.options.routedExpertsFrom = 0
                $0.resumedIds = Array(output[..<known])
                $0.key.attempt = 1
            }
            _ = player.send { $0.generate = request }
            #expect(player.finish().flatMap(\.routedExperts).flatMap(\.ids) == whole, "\(known) ids known")
        }
    }

    @Test func theAnswerBeginsWhereAsked() throws {
        let player = player()
        let sampling = Toy.sampling { $0.maxNewTokens = 1 }
        for start: UInt32 in [0, 2, 4] {
            let request = Toy.request(UInt64(start) + 1, [9, 8, 7, 6], sampling) {
                $0.options.routedExpertsFrom = start
            }
            _ = player.send { $0.generate = request }
            let found = player.finish().flatMap(\.routedExperts).flatMap(\.ids)
            #expect(found == expected([9, 8, 7, 6, 0], from: Int(start)))
        }
        let beyond = Toy.request(9, [1, 2], sampling) { $0.options.routedExpertsFrom = 3 }
        let failure = player.send { $0.generate = beyond }.compactMap(\.failure).first
        #expect(failure?.statusCode == 400 && failure?.message.contains("routed_experts_start_len") == true)
        let dense = EnginePlayer { $0.returnsRoutedExperts = true }
        let refusal = dense.send { $0.generate = beyond }.compactMap(\.failure).first
        #expect(refusal?.statusCode == 400 && refusal?.message.contains("experts") == true)
    }

    @Test func whoDoesNotAskIsToldNothing() {
        let player = player()
        _ = player.send { $0.generate = Toy.request(1, [1, 2, 3]) }
        #expect(player.finish().allSatisfy { $0.routedExperts.isEmpty })
    }
}
