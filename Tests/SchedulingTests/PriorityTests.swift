import Scheduling
import Testing
import Values

@Suite struct PriorityTests {
    private static func limits(
        _ rules: PriorityRules?, policy: SchedulePolicy = .fcfs, running: Int = 1, queued: Int? = nil
    ) -> SchedulerLimits {
        SchedulerLimits(
            slots: 400, contextLength: 200, maxRunning: running, maxQueued: queued, chunkTokens: 64, logitRows: 64,
            policy: policy, priorities: rules)
    }

    /// The order in which one-token requests with these priorities run, one at a time.
    private static func order(_ limits: SchedulerLimits, _ priorities: [Int64?], counts: [Int]? = nil) -> [UInt64] {
        var run = Run(limits)
        for (index, priority) in priorities.enumerated() {
            run.admit(UInt64(index + 1), [Int32(index + 1)], counts?[index] ?? 1, priority: priority)
        }
        var admitted: [UInt64] = []
        while let (batch, _) = run.step() { admitted += batch.admitted }
        return admitted
    }

    @Test func largerValuesRunFirstAndTheRestByArrival() {
        #expect(Self.order(Self.limits(PriorityRules()), [1, nil, 5, 1, -3, 5]) == [3, 6, 1, 4, 5, 2])
    }

    @Test func smallerValuesRunFirstWhenTheyAreToldTo() {
        #expect(Self.order(Self.limits(PriorityRules(lowValuesFirst: true)), [1, nil, 5, 1, -3]) == [5, 1, 4, 3, 2])
    }

    @Test func aMissingValueHasTheDefault() {
        #expect(Self.order(Self.limits(PriorityRules(defaultValue: 4)), [1, nil, 5]) == [3, 2, 1])
    }

    @Test func theExtremesOfTheTypeKeepTheirOrder() {
        let values: [Int64?] = [0, .min, .max, nil]
        #expect(Self.order(Self.limits(PriorityRules()), values) == [3, 1, 2, 4])
        #expect(Self.order(Self.limits(PriorityRules(lowValuesFirst: true)), values) == [2, 1, 3, 4])
    }

    @Test func longestOutputFirstCountsWithinAPriority() {
        let limits = Self.limits(PriorityRules(preemptionGap: nil), policy: .lof)
        #expect(Self.order(limits, [0, 0, 7], counts: [2, 5, 1]) == [3, 2, 1])
    }

    @Test func prioritiesDoNotCountUnlessTheyAreEnabled() {
        #expect(Self.order(Self.limits(nil), [1, 9, 5]) == [1, 2, 3])
    }

    @Test func aNamedPriorityIsRefusedWherePrioritiesAreOffAndMustNotBeNamed() {
        var limits = Self.limits(nil)
        limits.refusesPriorities = true
        var run = Run(limits)
        let named = run.admit(1, [1], 1, priority: 0)
        let unnamed = run.admit(2, [1], 1)
        #expect((named, unnamed) == (.priorityRefused, .queued))
    }

    @Test(arguments: [(9, false), (10, true)])
    func aRunningRequestGivesWayWhenTheGapIsWideEnough(priority: Int64, gives: Bool) throws {
        var run = Run(Self.limits(PriorityRules()))
        run.admit(1, [1, 2, 3], 20, priority: 0)
        for _ in 0..<5 { _ = run.step() }
        run.admit(2, [4, 5], 3, priority: priority)
        let batch = try #require(run.step()?.batch)
        #expect(batch.preempted == (gives ? [1] : []))
        #expect(batch.admitted == (gives ? [2] : []))
        let outputs = run.finish()
        #expect(outputs[1] == ScriptedEngine.output(of: [1, 2, 3], count: 20))
        #expect(outputs[2] == ScriptedEngine.output(of: [4, 5], count: 3))
    }

    @Test func nobodyGivesWayWhenPreemptionIsOff() throws {
        var run = Run(Self.limits(PriorityRules(preemptionGap: nil)))
        run.admit(1, [1, 2, 3], 20, priority: 0)
        _ = run.step()
        run.admit(2, [4, 5], 3, priority: 1000)
        let batch = try #require(run.step()?.batch)
        #expect(batch.preempted.isEmpty && batch.entries.map(\.id) == [1])
    }

    @Test func theLeastUrgentAndLatestGivesWay() throws {
        var run = Run(Self.limits(PriorityRules(), running: 3))
        for (id, priority) in [(1, 0), (2, 5), (3, 0)] {
            run.admit(UInt64(id), [Int32(id)], 30, priority: Int64(priority))
        }
        _ = run.step()
        run.admit(4, [9], 2, priority: 50)
        let batch = try #require(run.step()?.batch)
        #expect(batch.preempted == [3])
    }

    @Test func aLongPromptUnderWayGivesWayToAnUrgentOne() throws {
        var run = Run(Self.limits(PriorityRules(), running: 8))
        run.admit(1, Array(0..<190), 3, priority: 0)
        _ = run.step()
        run.admit(2, [500, 501], 2, priority: 10)
        let batch = try #require(run.step()?.batch)
        #expect(batch.preempted == [1] && batch.entries.first?.id == 2)
        let outputs = run.finish()
        #expect(outputs[1] == ScriptedEngine.output(of: Array(0..<190), count: 3))
    }

    @Test func nobodyGivesWayInVain() throws {
        var run = Run(Self.limits(PriorityRules(), running: 8))
        // Of 400 slots two requests that may not be touched hold 300: without the third there would still be too few.
        run.admit(1, Array(0..<150), 49, priority: 100)
        run.admit(2, Array(1000..<1150), 49, priority: 100)
        run.admit(3, Array(2000..<2005), 9, priority: 0)
        for _ in 0..<8 { _ = run.step() }
        let running = run.scheduler.counts.running
        #expect(running == 3)
        run.admit(4, Array(3000..<3150), 49, priority: 50)
        var preempted: [UInt64] = []
        while let (batch, ended) = run.step(), ended.isEmpty { preempted += batch.preempted }
        #expect(preempted.isEmpty)
    }

    @Test func aFullQueueDropsTheLeastUrgentOfTheLatest() {
        var run = Run(Self.limits(PriorityRules(), queued: 2))
        let first = run.admit(1, [1], 1, priority: 3)
        let second = run.admit(2, [1], 1, priority: 3)
        let equal = run.admit(3, [1], 1, priority: 3)
        let higher = run.admit(4, [1], 1, priority: 4)
        let known = run.scheduler.request(2)
        #expect([first, second, equal, higher] == [.queued, .queued, .queueFull, .queuedInPlaceOf(2)])
        #expect(known == nil)
    }

    @Test func aRetractedRequestKeepsItsPlaceInAFullQueue() {
        var run = Run(Self.limits(PriorityRules(), queued: 1))
        run.admit(1, [1], 9, priority: 0)
        _ = run.step()
        run.scheduler.retractAll()
        let urgent = run.admit(2, [1], 1, priority: 100)
        #expect(urgent == .queueFull)
    }

    @Test(arguments: [(false, [UInt64(2)]), (true, [UInt64(1)])])
    func retractionTakesTheLeastOutputOrTheLeastUrgent(guided: Bool, victims: [UInt64]) throws {
        var limits = Self.limits(PriorityRules(preemptionGap: nil, guidesRetraction: guided), running: 4)
        (limits.slots, limits.conservativeness) = (70, 0)
        var run = Run(limits)
        run.admit(1, Array(0..<10), 40, priority: 0)
        for _ in 0..<4 { _ = run.step() }
        run.admit(2, Array(100..<110), 40, priority: 5)
        var retracted: [UInt64] = []
        while retracted.isEmpty, let (batch, _) = run.step() { retracted = batch.retracted }
        #expect(retracted == victims)
    }
}
