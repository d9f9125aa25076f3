import Ledger
import Messages
import PipeStages
import Testing
import Values

@Suite struct RequestLedgerTests {
    /// A ledger whose pipe is ready, with one open row.
    private func opened(_ count: Int = 1, stream: Bool = true) throws -> (
        RequestLedger, group: UInt64, sent: [TokenizerCommand]
    ) {
        var ledger = RequestLedger(generation: 3)
        _ = ledger.pipeChanged(to: .ready(worker: 1), now: 0)
        let openings = (0..<count).map { number in
            RequestLedger.Opening(
                .generate(
                    .make {
                        $0.text = "p"; $0.options.stream = stream
                    }), rid: "r\(number)")
        }
        let (group, effects) = try ledger.open(openings, now: 1)
        return (ledger, group, effects.commands)
    }

    @Test func opensWithIdsOfItsGeneration() throws {
        let (ledger, group, sent) = try opened(2)
        #expect(sent.count == 2)
        #expect(sent.allSatisfy { $0.generate.key.id >> 40 == 3 && $0.generate.key.attempt == 0 })
        #expect(ledger.openCount == 2)
        #expect(ledger.rows(of: group).map(\.index) == [0, 1])
    }

    @Test func refusesARidThatIsOpen() throws {
        var (ledger, group, _) = try opened()
        #expect(throws: RequestFailure.invalid("Duplicate request ID detected: r0")) {
            _ = try ledger.open([.init(.generate(Generate()), rid: "r0")], now: 1)
        }
        _ = ledger.close(group)
        _ = try ledger.open([.init(.generate(Generate()), rid: "r0")], now: 1)
    }

    @Test func dropsWhatIsThereAlready() throws {
        var (ledger, group, sent) = try opened()
        let key = sent[0].generate.key
        _ = ledger.receive(EchoStages.batch(key, offset: 0, Array("abc".utf8)), now: 2)
        _ = ledger.receive(EchoStages.batch(key, offset: 1, Array("bcde".utf8)), now: 2)
        let stale = ledger.receive(EchoStages.batch(key, offset: 0, Array("ab".utf8)), now: 2)
        #expect(stale.isEmpty)
        #expect(ledger.rows(of: group)[0].output.text == Array("abcde".utf8))
        #expect(ledger.rows(of: group)[0].output.ids == Array("abcde".utf8).map(Int32.init))
    }

    @Test func anotherAttemptSaysWhichWeightsItsIdsAreOf() throws {
        var (ledger, group, sent) = try opened()
        let key = sent[0].generate.key
        func receive(_ text: String, offset: Int, weights: UInt64) -> [RequestLedger.Effect] {
            var batch = EchoStages.batch(key, offset: offset, Array(text.utf8))
            batch.weights = weights
            return ledger.receive(batch, now: 2)
        }
        _ = receive("ab", offset: 0, weights: 4)
        _ = receive("abc", offset: 0, weights: 4)
        // What was told before stays what it was.
        _ = receive("cd", offset: 2, weights: 6)
        #expect(ledger.rows(of: group)[0].output.weightSpans.map(\.start) == [0, 3])
        #expect(ledger.rows(of: group)[0].output.weightSpans.map(\.number) == [4, 6])
        let again = receive("x", offset: 9, weights: 6).commands
        #expect(again[0].generate.resumedIds.count == 4 && again[0].generate.resumedWeights == 6)
    }

    @Test func hiddenStatesFollowTheirIds() throws {
        var (ledger, group, sent) = try opened()
        let key = sent[0].generate.key
        func receive(_ text: String, offset: Int, rows: [Float], prompt: [Float] = []) {
            var batch = EchoStages.batch(key, offset: offset, Array(text.utf8))
            batch.hidden = [
                .make {
                    $0.width = 2
                    $0.setRows(output: rows, input: prompt)
                }
            ]
            _ = ledger.receive(batch, now: 2)
        }
        receive("a", offset: 0, rows: [1, 2], prompt: [8, 9])
        // Another attempt that begins before what is there.
        receive("abc", offset: 0, rows: [1, 2, 3, 4, 5, 6], prompt: [8, 9])
        receive("c", offset: 2, rows: [5, 6])
        let hidden = ledger.rows(of: group)[0].output.hidden
        #expect(HiddenStates.numbers(hidden.rows[...]) == [1, 2, 3, 4, 5, 6])
        #expect(HiddenStates.numbers(hidden.prompt[...]) == [8, 9] && hidden.width == 2)
    }

    @Test func submitsAgainAfterAGap() throws {
        var (ledger, _, sent) = try opened()
        let key = sent[0].generate.key
        _ = ledger.receive(EchoStages.batch(key, offset: 0, Array("ab".utf8)), now: 2)
        let again = ledger.receive(EchoStages.batch(key, offset: 3, Array("d".utf8)), now: 2).commands
        #expect(again.count == 1)
        #expect(again[0].generate.key.attempt == 1)
        #expect(again[0].generate.resumedIds == [97, 98])
        // The old attempt has no say any more.
        #expect(ledger.receive(EchoStages.batch(key, offset: 2, Array("c".utf8)), now: 2).isEmpty)
        #expect(!ledger.receive(EchoStages.batch(again[0].generate.key, offset: 0, Array("abc".utf8)), now: 2).isEmpty)
    }

    @Test func everyRowGoesOutAgainWhenAStageIsNew() throws {
        for status in [PipeStatus.ready(worker: 1, tokenizer: 2), .ready(worker: 1, detokenizer: 2), .ready(worker: 2)]
        {
            var (ledger, _, _) = try opened(3)
            #expect(ledger.pipeChanged(to: .away(worker: 1), now: 2).isEmpty)
            #expect(ledger.pipeChanged(to: status, now: 3).commands.map(\.generate.key.attempt) == [1, 1, 1])
            #expect(ledger.pipeChanged(to: status, now: 4).isEmpty)
        }
    }

    @Test func aRowThatSawTwoCrashesFailsAlone() throws {
        var (ledger, group, _) = try opened()
        _ = ledger.pipeChanged(to: .ready(worker: 2), now: 2)
        let (late, _) = try ledger.open([.init(.generate(Generate()), rid: "late")], now: 2)
        let effects = ledger.pipeChanged(to: .ready(worker: 3), now: 3)
        #expect(effects.commands.count == 1)
        #expect(ledger.rows(of: group)[0].ending == .failed(.poisonous))
        #expect(!ledger.rows(of: late)[0].isEnded)
    }

    @Test func restartsOnPurposeAreNoCrashes() throws {
        var (ledger, group, _) = try opened()
        for generation in 2..<8 {
            var status = PipeStatus.ready(worker: UInt64(generation))
            status.workerCrashed = false
            _ = ledger.pipeChanged(to: status, now: 2)
        }
        #expect(!ledger.rows(of: group)[0].isEnded)
    }

    @Test func heldRowsGoOutWhenThePipeIsReadyOrEnd() throws {
        var ledger = RequestLedger(generation: 1)
        let (group, effects) = try ledger.open([.init(.generate(Generate()), rid: "a")], now: 1)
        #expect(effects.isEmpty)
        #expect(ledger.pipeChanged(to: .ready(worker: 1), now: 2).commands.map(\.generate.key.attempt) == [0])
        _ = ledger.close(group)
        _ = ledger.pipeChanged(to: .away(worker: 1), now: 3)
        let (other, _) = try ledger.open([.init(.generate(Generate()), rid: "b")], now: 3)
        #expect(ledger.tick(now: 100).isEmpty)
        #expect(!ledger.tick(now: 1000).isEmpty)
        #expect(ledger.rows(of: other)[0].ending == .failed(.notReady))
    }

    @Test func aRowThatTakesLongerThanItMayEndsEverywhere() throws {
        var ledger = RequestLedger(generation: 1, patience: .make { $0.request = 10 })
        _ = ledger.pipeChanged(to: .ready(worker: 1), now: 0)
        let openings = ["waits", "runs"].map { RequestLedger.Opening(.generate(Generate()), rid: $0) }
        let (group, sent) = try ledger.open(openings, now: 1)
        _ = ledger.receive(EchoStages.batch(sent.commands[1].generate.key, offset: 0, [97]), now: 9)
        #expect(ledger.tick(now: 11).isEmpty)
        let effects = ledger.tick(now: 11.5).commands
        #expect(Set(effects.map(\.abort.key.id)) == Set(sent.commands.map(\.generate.key.id)))
        #expect(ledger.rows(of: group).map(\.failure) == [.waitedTooLong, .ranTooLong])
        #expect(ledger.openCount == 0)
    }

    @Test func aStreamThatNobodyReadsIsParkedAndGoesOnWhenSomebodyDoes() throws {
        var (ledger, group, sent) = try opened()
        _ = ledger.receive(EchoStages.batch(sent[0].generate.key, offset: 0, [97]), now: 2)
        #expect(ledger.tick(now: 3.5).isEmpty)
        #expect(ledger.tick(now: 4.5).commands.map(\.abort.key) == [sent[0].generate.key])
        // Frames that were under way change nothing, and neither do new processes.
        #expect(ledger.receive(EchoStages.batch(sent[0].generate.key, offset: 1, [98]), now: 4.6).isEmpty)
        #expect(ledger.pipeChanged(to: .ready(worker: 2), now: 5).isEmpty)
        #expect(ledger.tick(now: 50).isEmpty)
        let again = ledger.reads(group, now: 60).commands
        #expect(again.map(\.generate.key.attempt) == [1] && again[0].generate.resumedIds == [97])
        #expect(ledger.take(group).map(\.output.text) == [[97]])
        #expect(ledger.tick(now: 70).isEmpty)
    }

    @Test func whoDoesNotReadGivesWayOnlyInACrowd() throws {
        var ledger = RequestLedger(generation: 3, patience: .make { $0.crowd = 2 })
        _ = ledger.pipeChanged(to: .ready(worker: 1), now: 0)
        let groups = try (0..<4).map { number in
            try ledger.open([.init(.generate(.make { $0.options.stream = number != 3 }), rid: "r\(number)")], now: 1)
                .group
        }
        #expect(ledger.parkUnread(groups[3]).isEmpty, "who gets one answer at the end has nothing to read")
        #expect(ledger.parkUnread(groups[0]).commands.count == 1)
        #expect(ledger.parkUnread(groups[1]).commands.count == 1)
        #expect(ledger.parkUnread(groups[2]).isEmpty, "two are no crowd")
        #expect(ledger.parkedCount == 2)
        _ = ledger.close(groups[0])
        #expect(ledger.reads(groups[1], now: 3).commands.map(\.generate.key.attempt) == [1])
        #expect(ledger.parkedCount == 0 && ledger.openCount == 3)
    }

    @Test func whoIsReadIsNotParked() throws {
        var (ledger, group, sent) = try opened()
        _ = ledger.receive(EchoStages.batch(sent[0].generate.key, offset: 0, [97]), now: 2)
        _ = ledger.take(group)
        #expect(ledger.tick(now: 30).isEmpty)
    }

    @Test func aStageThatWasGivenUpEndsEverythingWithItsReason() throws {
        var (ledger, group, sent) = try opened()
        var status = PipeStatus.away(worker: 1)
        status.failure = "sglang::scheduler was given up: exit code 1"
        #expect(ledger.pipeChanged(to: status, now: 3).commands.map(\.abort.key) == [sent[0].generate.key])
        let failure = RequestFailure.givenUp("sglang::scheduler was given up: exit code 1")
        #expect(ledger.rows(of: group)[0].ending == .failed(failure))
        #expect(ledger.metrics.lost == [.givenUp: 1])
        #expect(throws: failure) { _ = try ledger.open([.init(.generate(Generate()), rid: "new")], now: 4) }
        _ = ledger.pipeChanged(to: .ready(worker: 2), now: 5)
        _ = try ledger.open([.init(.generate(Generate()), rid: "new")], now: 6)
    }

    @Test func theLastWordOnAnAbortedRowKeepsItsCounts() throws {
        var (ledger, group, sent) = try opened()
        let key = sent[0].generate.key
        var frame = EchoStages.batch(key, offset: 0, [97])
        frame.promptTokens = [7]
        _ = ledger.receive(frame, now: 2)
        var last = EchoStages.batch(key, offset: 1, [], finish: .make { $0.aborted = .init() })
        last.promptTokens = [0]
        _ = ledger.receive(last, now: 3)
        #expect(ledger.rows(of: group)[0].output.promptTokens == 7)
    }

    @Test func abortMatchesPrefixesAndEndsWithAnAnswer() throws {
        var (ledger, group, sent) = try opened(12)
        let aborts = ledger.abort(prefix: "r1", now: 2).commands
        #expect(aborts.map(\.abort.key.id) == [1, 10, 11].map { sent[$0].generate.key.id })
        #expect(aborts.allSatisfy { $0.abort.wantsAnswer })
        _ = ledger.receive(
            EchoStages.batch(
                aborts[0].abort.key, offset: 0, [], finish: .make { $0.aborted = .make { $0.message = "Aborted" } }),
            now: 2)
        #expect(ledger.rows(of: group).filter(\.isEnded).map(\.rid) == ["r1"])
        // The pipe does not confirm the others.
        _ = ledger.tick(now: 10)
        #expect(ledger.rows(of: group).filter(\.isEnded).map(\.rid) == ["r1", "r10", "r11"])
    }

    @Test func namesThatOnlyLookTheSameAreTwo() throws {
        var ledger = RequestLedger(generation: 1)
        let names: [ClientName] = ["caf\u{E9}", "cafe\u{301}", "job", "job\u{301}-1"]
        let (group, _) = try ledger.open(names.map { .init(.generate(Generate()), rid: $0) }, now: 1)
        _ = ledger.abort(prefix: names[0], now: 2)
        #expect(ledger.rows(of: group).map(\.isEnded) == [true, false, false, false])
        _ = ledger.abort(prefix: "job", now: 3)
        #expect(ledger.rows(of: group).map(\.isEnded) == [true, false, true, true])
    }

    @Test func closingGivesUpWhatIsOpen() throws {
        var (ledger, group, sent) = try opened(2)
        _ = ledger.receive(
            EchoStages.batch(sent[0].generate.key, offset: 0, [97], finish: .make { $0.length = 1 }), now: 2)
        let aborts = ledger.close(group).commands
        #expect(aborts.map(\.abort.key.id) == [sent[1].generate.key.id])
        #expect(aborts.allSatisfy { !$0.abort.wantsAnswer })
        #expect(ledger.rows.isEmpty && ledger.openCount == 0)
        #expect(ledger.close(group).isEmpty)
    }

    @Test func mergesFramesForASlowClient() throws {
        var (ledger, group, sent) = try opened()
        for number in 0..<100 {
            _ = ledger.receive(EchoStages.batch(sent[0].generate.key, offset: number, [97]), now: 2)
        }
        let cuts = ledger.take(group)[0].cuts
        #expect(cuts.count == 20)
        #expect(cuts.last?.ids == 100)
        #expect(ledger.take(group).isEmpty)
    }

    @Test func inconsistentFramesChangeNothing() throws {
        var (ledger, group, sent) = try opened()
        var batch = EchoStages.batch(sent[0].generate.key, offset: 0, [97, 98])
        batch.counts = [3]
        #expect(ledger.receive(batch, now: 2).isEmpty)
        batch.counts = []
        #expect(ledger.receive(batch, now: 2).isEmpty)
        #expect(ledger.rows(of: group)[0].output.ids.isEmpty)
    }
}

extension [RequestLedger.Effect] {
    /// The commands among the effects.
    var commands: [TokenizerCommand] {
        compactMap { if case .send(let command) = $0 { command } else { nil } }
    }
}

extension PipeStatus {
    /// All stages are there.
    static func ready(worker: UInt64, tokenizer: UInt64 = 1, detokenizer: UInt64 = 1) -> PipeStatus {
        var status = PipeStatus(Topology.ready(worker: worker, tokenizer: tokenizer, detokenizer: detokenizer))
        status.workerCrashed = true
        return status
    }

    /// The worker loads.
    static func away(worker: UInt64) -> PipeStatus { PipeStatus(Topology.withoutWorker(generation: worker)) }
}
