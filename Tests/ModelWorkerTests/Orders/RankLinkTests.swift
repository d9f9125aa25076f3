import Foundation
import ModelWorker
import Models
import Tensors
import Testing

/// Rank 0 and another one, both in this process, with a mapping each.
private struct Pair {
    let first: RankLink
    let second: RankLink

    init() throws {
        var name = Array((NSTemporaryDirectory() + "/srt-link-XXXXXX").utf8CString)
        let descriptor = mkstemp(&name)
        try #require(descriptor >= 0 && ftruncate(descriptor, 4096) == 0)
        unlink(name)
        func open(_ rank: Int) -> Collectives? {
            Collectives(descriptor: descriptor, rank: rank, size: 2, patience: 60) {
                fatalError("rank \($0) is missing")
            }
        }
        let groups = (try #require(open(0)), try #require(open(1)))
        try #require(
            groups.0.offer(terms: [1], planBytes: RankLink.planBytes(Self.limits, hiddenSize: 5), slotCount: 16))
        #expect(groups.1.accept()?.first == 1)
        (first, second) = (RankLink(group: groups.0), RankLink(group: groups.1))
    }

    static let limits = ForwardLimits(rows: 40, logitRows: 8, sequences: 6, slots: 100, positions: 30)
}

@Suite struct RankLinkTests {
    /// The largest step of the limits: every array as long as it may be, and some of odd length.
    private func step(sequences: Int, rows: Int) -> ForwardInput {
        var input = ForwardInput()
        for index in 0..<sequences {
            input.sequences.append(
                .init(rowStart: input.tokens.count, rowCount: rows, slotStart: input.slots.count, length: 30))
            input.slots += (0..<30).map { Int32($0 * 7 + index) }
            for row in 0..<rows {
                input.tokens.append(Int32(1000 * index + row))
                input.positions.append(Int32(30 - rows + row))
                input.writeSlots.append(Int32(row) - 5)
                input.tokenTypes.append(Int32(row % 2))
            }
            input.logitRows.append(Int32(input.tokens.count - 1))
            input.leadingRows.append(Int32(index + 1))
            input.vectorRows.append(Int32(input.tokens.count - 1))
            input.vectors += [0.5, -1, Float(index), 1e-9, 3]
        }
        return input
    }

    @Test(arguments: [(1, 1), (6, 1), (3, 13), (5, 8)])
    func aStepArrivesAsItWasSent(sequences: Int, rows: Int) throws {
        let pair = try Pair()
        var received = ForwardInput()
        for sent in [step(sequences: sequences, rows: rows), ForwardInput(), step(sequences: 2, rows: 3)] {
            pair.first.send(sent)
            #expect(pair.second.receive(into: &received, expected: true, seconds: 60)?.kind == .step)
            #expect(received == sent)
        }
    }

    @Test func withoutAFrameNothingIsReceived() throws {
        let pair = try Pair()
        var received = step(sequences: 1, rows: 2)
        let before = received
        #expect(pair.second.receive(into: &received, expected: false, seconds: 0.001) == nil)
        #expect(received == before)
    }
}
