import ModelWorker
import Testing

/// How ranks share the machine's cores.
@Suite struct CorePlanTests {
    private func plans(_ machine: Cores, ranks: Int, threads: Int? = nil, binding: [[Int]]? = nil) -> [CorePlan] {
        (0..<ranks).map { CorePlan(machine, rank: $0, ranks: ranks, threads: threads, binding: binding) }
    }

    @Test func ranksShareCoresInOrder() {
        let machine = Cores(ordered: [0, 2, 4, 6, 1, 3, 5])
        #expect(plans(machine, ranks: 1).map(\.cores) == [[0, 2, 4, 6, 1, 3, 5]])
        #expect(plans(machine, ranks: 2).map(\.cores) == [[0, 2, 4], [6, 1, 3]])
        #expect(plans(machine, ranks: 3).map(\.threads) == [2, 2, 2])
    }

    @Test func moreThreadsThanCoresAreNotPinned() {
        let machine = Cores(ordered: [0, 1])
        #expect(plans(machine, ranks: 3).map(\.cores) == [nil, nil, nil])
        #expect(plans(machine, ranks: 3).map(\.threads) == [1, 1, 1])
        #expect(plans(machine, ranks: 1, threads: 3).map(\.cores) == [nil])
        #expect(plans(machine, ranks: 2, threads: 1).map(\.cores) == [[0], [1]])
    }

    @Test func aQuotaLimitsThreads() {
        let machine = Cores(ordered: Array(0..<16), quota: 4)
        #expect(plans(machine, ranks: 2).map(\.threads) == [2, 2])
        #expect(plans(machine, ranks: 2).map(\.cores) == [[0, 1], [8, 9]])
    }

    @Test func theOperatorsBindingCounts() {
        let machine = Cores(ordered: Array(0..<8))
        let binding = [[0, 1, 2], [4, 5]]
        #expect(plans(machine, ranks: 2, binding: binding).map(\.cores) == [[0, 1, 2], [4, 5]])
        #expect(plans(machine, ranks: 2, threads: 2, binding: binding).map(\.cores) == [[0, 1], [4, 5]])
        #expect(plans(machine, ranks: 2, threads: 3, binding: binding).map(\.cores) == [[0, 1, 2], nil])
    }
}
