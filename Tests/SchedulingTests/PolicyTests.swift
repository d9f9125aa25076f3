import KVCache
import Scheduling
import Testing
import Values

@Suite struct PolicyTests {
    private static func limits(_ policy: SchedulePolicy, seed: UInt64 = 1) -> SchedulerLimits {
        SchedulerLimits(
            slots: 4000, contextLength: 1000, maxRunning: 1, chunkTokens: 512, logitRows: 512, policy: policy,
            seed: seed)
    }

    /// Prompts 1000 + n share nothing; a cached one is 0, 1, 2 … up to its length.
    private static func cold(_ number: Int, _ length: Int) -> [Int32] { (0..<length).map { Int32($0 + 1000 * number) } }

    /// A server whose cache holds 0 ..< 200.
    private static func warm(_ policy: SchedulePolicy) -> Run {
        var run = Run(limits(policy))
        run.admit(99, Array(0..<200), 1)
        _ = run.finish()
        return run
    }

    private static func order(_ run: inout Run) -> [UInt64] {
        var admitted: [UInt64] = []
        while let (batch, _) = run.step() { admitted += batch.admitted }
        return admitted
    }

    @Test func firstComeFirstServed() {
        var run = Self.warm(.fcfs)
        run.admit(1, Self.cold(1, 50), 1)
        run.admit(2, Array(0..<100), 9)
        run.admit(3, Self.cold(3, 10), 5)
        let order = Self.order(&run)
        #expect(order == [1, 2, 3])
    }

    @Test func theLongestCachedPrefixGoesFirst() {
        var run = Self.warm(.lpm)
        run.admit(1, Self.cold(1, 50), 1)
        run.admit(2, Array(0..<60) + Self.cold(2, 10), 1)
        run.admit(3, Array(0..<150) + Self.cold(3, 200), 1)
        let order = Self.order(&run)
        #expect(order == [3, 2, 1])
    }

    @Test func theFewestUncachedTokensGoFirst() {
        var run = Self.warm(.shortestPrefillFirst)
        run.admit(1, Self.cold(1, 50), 1)
        run.admit(2, Array(0..<150) + Self.cold(2, 60), 1)
        run.admit(3, Self.cold(3, 20), 1)
        let order = Self.order(&run)
        #expect(order == [3, 1, 2])
    }

    @Test func theLargestLimitGoesFirst() {
        var run = Self.warm(.lof)
        run.admit(1, Self.cold(1, 50), 2)
        run.admit(2, Self.cold(2, 50), 8)
        run.admit(3, Self.cold(3, 50), 5)
        let order = Self.order(&run)
        #expect(order == [2, 3, 1])
    }

    @Test func theHeavierBranchIsWalkedFirstAndToItsEnd() {
        var limits = Self.limits(.dfsWeight)
        limits.maxRunning = 4
        var run = Run(limits)
        run.admit(99, Array(0..<200), 1)
        _ = run.finish()
        run.admit(98, Array(0..<50) + Self.cold(5, 50), 1)
        _ = run.finish()
        // The tree forks at 50: one request goes on along the first branch, two along the second, and one knows neither.
        run.admit(1, Self.cold(1, 10), 1)
        run.admit(2, Array(0..<120) + Self.cold(2, 5), 1)
        run.admit(3, Array(0..<50) + Self.cold(5, 20) + [7], 1)
        run.admit(4, Array(0..<50) + Self.cold(5, 40) + [8], 1)
        let order = Self.order(&run)
        #expect(order == [3, 4, 2, 1])
    }

    @Test func whatIsCachedGoesBeforeAnyRatioAndOfNewcomersTheShorter() {
        var run = Self.warm(.hrrn)
        run.admit(1, Self.cold(1, 300), 1)
        run.admit(2, Self.cold(2, 100), 1)
        run.admit(3, Array(0..<100) + [5], 1)
        let order = Self.order(&run)
        #expect(order == [3, 2, 1])
    }

    @Test func aLongPromptThatWaitedLongGoesBeforeAShortNewcomer() {
        var limits = Self.limits(.hrrn)
        limits.chunkTokens = 100
        var run = Run(limits)
        run.admit(1, Self.cold(1, 900), 1)
        _ = run.step()
        run.admit(2, Self.cold(2, 300), 1)
        for _ in 0..<7 { _ = run.step() }
        run.admit(3, Self.cold(3, 100), 1)
        // The last 100 tokens of 900 are still to come: ratios of 1 + 800 / 300 and 1 + 100 / 100.
        let order = Self.order(&run)
        #expect(order == [2, 3])
    }

    @Test func aCommonRoutingKeyGoesFirst() {
        var limits = Self.limits(.routingKey)
        limits.maxRunning = 3
        var run = Run(limits)
        func request(_ id: UInt64, _ key: String, _ count: Int) -> ScheduledRequest {
            ScheduledRequest(id: id, prompt: Self.cold(Int(id), 5), maxNewTokens: count, routingKey: ClientName(key))
        }
        for (id, key, count) in [(1, "a", 9), (2, "b", 30), (3, "b", 30)] {
            _ = run.scheduler.admit(request(UInt64(id), key, count))
        }
        _ = run.step()
        for (id, key) in [(4, ""), (5, "a"), (6, "b")] { _ = run.scheduler.admit(request(UInt64(id), key, 1)) }
        let order = Self.order(&run)
        #expect(order == [6, 4, 5])
    }

    @Test func randomOrderDependsOnTheSeedAlone() {
        func order(_ seed: UInt64) -> [UInt64] {
            var run = Run(Self.limits(.random, seed: seed))
            for id in 1...12 { run.admit(UInt64(id), Self.cold(id, 5), 1) }
            return Self.order(&run)
        }
        let (first, again, other) = (order(1), order(1), order(2))
        #expect(first == again && first != other && first.sorted() == Array(1...12) && first != Array(1...12))
    }

    @Test(arguments: [SchedulePolicy.lpm, .dfsWeight, .hrrn, .shortestPrefillFirst])
    func withoutACacheTheOrderIsThatOfArrival(policy: SchedulePolicy) {
        var limits = Self.limits(policy)
        limits.usesPrefixCache = false
        var run = Run(limits)
        for (id, length) in [(1, 90), (2, 10), (3, 40)] { run.admit(UInt64(id), Self.cold(id, length), 1) }
        let order = Self.order(&run)
        #expect(order == [1, 2, 3])
    }

    @Test(arguments: [(SchedulePolicy.lpm, 128, UInt64(128)), (.lpm, 129, 1), (.hrrn, 128, 128), (.hrrn, 129, 1)])
    func aLongQueueIsServedByArrival(policy: SchedulePolicy, count: Int, first: UInt64) throws {
        var run = Self.warm(policy)
        for id in 1..<count { run.admit(UInt64(id), Self.cold(id, 8), 1) }
        run.admit(UInt64(count), Array(0..<100) + [1], 1)
        let admitted = try #require(run.step()?.batch.admitted)
        #expect(admitted == [count > 128 ? 1 : first])
    }

    @Test(arguments: SchedulePolicy.allCases) func retractedRequestsComeFirst(policy: SchedulePolicy) throws {
        var run = Self.warm(policy)
        run.admit(1, Self.cold(1, 300), 2)
        _ = run.step()
        run.admit(2, Array(0..<190), 90)
        run.scheduler.retractAll()
        let admitted = try #require(run.step()?.batch.admitted)
        #expect(admitted == [1])
    }
}
