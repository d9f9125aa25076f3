import Foundation
import Tensors
import Testing

/// Ranks that meet in shared memory; here they are threads, each with a mapping of its own.
@Suite struct CollectivesTests {
    @Test(arguments: [1, 2, 3, 5]) func everyRankGetsTheSameSumInRankOrder(_ size: Int) throws {
        let count = 10_007
        // Terms of very different size, so that another order gives other bits.
        let parts: [[Float]] = (0..<size).map { rank in
            let scale: Float = rank % 2 == 0 ? 1e6 : -3.3e-4
            return (0..<count).map { Float($0 % 97) * scale + Float(rank) / 7 }
        }
        let expected: [Float] = (0..<count).map { i in
            var sum = parts[0][i]
            for part in parts.dropFirst() { sum += part[i] }
            return 0.5 + sum
        }
        let sums = try runRanks(size, slotCount: count) { group, compute in
            var out = [Float](repeating: 0.5, count: count)
            for _ in 0..<50 {
                out = [Float](repeating: 0.5, count: count)
                group.ownSlot.update(from: parts[group.rank], count: count)
                compute.addSlots(of: group, count: count, to: &out)
            }
            return out
        }
        for sum in sums { #expect(sum.map(\.bitPattern) == expected.map(\.bitPattern)) }
    }

    @Test func plansArriveInOrderAndTermsBeforeThem() throws {
        let rounds = 200
        let seen = try runRanks(3, slotCount: 16) { group, _ in
            (0..<rounds).map { round in
                if group.rank == 0 {
                    group.plan.storeBytes(of: Float(round * 3), as: Float.self)
                    group.publishPlan()
                } else {
                    #expect(group.awaitPlan(expected: round % 2 == 0, seconds: 60))
                }
                let value = group.plan.load(as: Float.self)
                group.ownSlot[0] = value
                group.exchange { _ in }
                return value
            }
        }
        for values in seen { #expect(values == (0..<rounds).map { Float($0 * 3) }) }
    }

    @Test func waitingForAPlanEnds() throws {
        let group = try open(memory: sharedPage(), rank: 1, size: 2)
        #expect(!group.awaitPlan(expected: true, seconds: 0.001))
    }

    @Test func aMissingRankIsNamed() async {
        await #expect(processExitsWith: .exitCode(42)) {
            guard
                let group = Collectives(
                    descriptor: try sharedPage(), rank: 0, size: 3, patience: 0.01, giveUp: { exit(41 + Int32($0)) }),
                group.offer(terms: [], planBytes: 64, slotCount: 16)
            else { exit(1) }
            group.exchange { _ in }
        }
    }
}

/// A page of zeros behind a file without a name.
private func sharedPage() throws -> Int32 {
    var name = Array((NSTemporaryDirectory() + "/srt-group-XXXXXX").utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0, ftruncate(descriptor, 4096) == 0 else { throw CocoaError(.fileWriteUnknown) }
    unlink(name)
    return descriptor
}

private func open(memory: Int32, rank: Int, size: Int) throws -> Collectives {
    try #require(
        Collectives(
            descriptor: memory, rank: rank, size: size, patience: 60, giveUp: { fatalError("rank \($0) is missing") }))
}

/// Runs `body` on every rank at once; what each returned.
private func runRanks<R: Sendable>(
    _ size: Int, slotCount: Int, _ body: @escaping @Sendable (Collectives, Compute) throws -> R
) throws -> [R] {
    let memory = try sharedPage()
    let board = Board<R>(size)
    for rank in 0..<size {
        Thread {
            board.put(
                rank,
                Result {
                    let group = try open(memory: memory, rank: rank, size: size)
                    if rank == 0 {
                        try #require(group.offer(terms: [7, 9], planBytes: 64, slotCount: slotCount))
                    } else {
                        let terms = try #require(group.accept())
                        #expect(terms.prefix(3) == [7, 9, 0] && group.slotCount == slotCount)
                    }
                    return try body(group, Compute(threads: 1))
                })
        }.start()
    }
    return try board.all()
}

/// Results by rank.
private final class Board<R: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var results: [Result<R, any Error>?]

    init(_ size: Int) { results = Array(repeating: nil, count: size) }

    func put(_ rank: Int, _ result: Result<R, any Error>) {
        condition.lock()
        results[rank] = result
        condition.signal()
        condition.unlock()
    }

    func all() throws -> [R] {
        condition.lock()
        defer { condition.unlock() }
        while results.contains(where: { $0 == nil }) { condition.wait() }
        return try results.map { try $0!.get() }
    }
}
