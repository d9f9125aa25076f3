import Ledger
import Messages
import PipeStages
import Synchronization
import Testing
import Values

/// Rows that end with a vector.
@Suite struct VectorRowTests {
    private func opened(_ count: Int = 1) throws -> (RequestLedger, group: UInt64, keys: [RequestKey]) {
        var ledger = RequestLedger(generation: 3)
        _ = ledger.pipeChanged(to: .ready(worker: 1), now: 0)
        let openings = (0..<count).map { number in
            RequestLedger.Opening(.embed(.make { $0.text = "p" }), rid: "r\(number)")
        }
        let (group, effects) = try ledger.open(openings, now: 1)
        return (ledger, group, effects.commands.flatMap { $0.embeds.requests.map(\.key) })
    }

    @Test func aVectorEndsItsRow() throws {
        var (ledger, group, keys) = try opened(2)
        let effects = ledger.receive(EchoStages.vectors([keys[1]], [[1, 2]]), now: 2)
        #expect(effects == [.wake(group: group)] && ledger.openCount == 1 && !ledger.isSettled(group))
        _ = ledger.receive(EchoStages.vectors([keys[0]], [[3]]), now: 3)
        #expect(ledger.isSettled(group) && ledger.openCount == 0)
        let rows = ledger.rows(of: group)
        #expect(rows.map(\.output.vector) == [[3], [1, 2]] && rows.allSatisfy { $0.failure == nil })
        #expect(rows.map(\.finish) == [.make { $0.length = 0 }, .make { $0.length = 0 }])
        let counts = try #require(ledger.metrics.shares[nil]).whole
        #expect(counts.requests == 2 && counts.generatedTokens == 0 && counts.promptTokens == 6)
    }

    @Test func whatCameOfAnOlderAttemptCountsForNothing() throws {
        var (ledger, group, keys) = try opened()
        let again = ledger.pipeChanged(to: .ready(worker: 2), now: 2).commands
        #expect(again.map { $0.embeds.requests.map(\.key.attempt) } == [[1]])
        #expect(ledger.receive(EchoStages.vectors(keys, [[1]]), now: 3).isEmpty && !ledger.isSettled(group))
        _ = ledger.receive(EchoStages.vectors([again[0].embeds.requests[0].key], [[2]]), now: 3)
        #expect(ledger.rows(of: group).map(\.output.vector) == [[2]])
        // A second one changes nothing.
        #expect(ledger.receive(EchoStages.vectors([again[0].embeds.requests[0].key], [[7]]), now: 4).isEmpty)
        #expect(ledger.rows(of: group).map(\.output.vector) == [[2]])
    }

    @Test func aBatchThatContradictsItselfIsDropped() throws {
        var (ledger, _, keys) = try opened()
        var batch = EchoStages.vectors(keys, [[1, 2]])
        batch.counts = [5]
        #expect(ledger.receive(batch, now: 2).isEmpty && ledger.openCount == 1)
    }

    @Test func anAbortedRowEndsWithoutAVector() throws {
        var (ledger, group, keys) = try opened()
        _ = ledger.abort(prefix: nil, now: 2)
        _ = ledger.receive(
            TextBatch(
                ending: .make {
                    $0.key = keys[0]
                    $0.message = "Aborted"
                }), now: 3)
        let row = try #require(ledger.rows(of: group).first)
        #expect(row.isEnded && row.output.vector.isEmpty && row.failure == nil && row.output.promptTokens == 0)
    }

    @Test func theTextsOfOneRequestTravelTogether() throws {
        let sent = Mutex<[TokenizerCommand]>([])
        var ledger = RequestLedger(generation: 3)
        _ = ledger.pipeChanged(to: .ready(worker: 1), now: 0)
        let requests = OpenRequests(ledger: ledger, clock: { 1 }) { command in sent.withLock { $0.append(command) } }
        let openings = (0..<64).map { RequestLedger.Opening(.embed(.make { $0.text = "p" }), rid: "r\($0)") }
        _ = try requests.open(openings, AdmissionGate(queued: nil, running: nil))
        #expect(sent.withLock { $0.map { $0.embeds.requests.count } } == [64])
        // So do those of many requests that have to go out again.
        requests.handle { $0.pipeChanged(to: .ready(worker: 2), now: $1) }
        #expect(sent.withLock { $0.map { $0.embeds.requests.count } } == [64, 64])
    }
}
