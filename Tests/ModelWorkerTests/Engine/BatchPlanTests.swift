import ModelWorker
import Models
import Scheduling
import Testing

@Suite struct BatchPlanTests {
    private static let limits = SchedulerLimits(
        slots: 100, contextLength: 60, maxRunning: 4, chunkTokens: 12, logitRows: 20)

    private static func next(_ scheduler: inout Scheduler) throws -> Batch {
        let batch = scheduler.nextBatch()
        return try #require(batch)
    }

    @Test func rowsSlotsAndTargetsFollowTheBatch() throws {
        var scheduler = Scheduler(limits: Self.limits)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: [5, 6, 7], maxNewTokens: 9))
        let first = try Self.next(&scheduler)
        scheduler.commit(first.entries[0], tokens: [8], finished: false)
        // A second one whose last prompt tokens are scored, and a third one whose prompt does not fit into the step.
        _ = scheduler.admit(ScheduledRequest(id: 2, prompt: [1, 2, 3, 4], maxNewTokens: 9, scoredFrom: 2))
        _ = scheduler.admit(ScheduledRequest(id: 3, prompt: Array(20..<40), maxNewTokens: 9))
        let batch = try Self.next(&scheduler)
        var plan = BatchPlan()
        plan.prepare(batch, scheduler)
        #expect(plan.input.tokens == [8, 1, 2, 3, 4] + Array(20..<28))
        #expect(plan.input.positions == [3, 0, 1, 2, 3] + Array(0..<8))
        #expect(plan.input.sequences.map(\.rowStart) == [0, 1, 5])
        #expect(plan.input.sequences.map(\.rowCount) == [1, 4, 8])
        #expect(plan.input.sequences.map(\.length) == [4, 4, 8])
        #expect(plan.input.sequences.map(\.slotStart) == [0, 4, 8])
        #expect(plan.input.logitRows == [0, 3, 4])
        #expect(plan.targets.map { [$0.entry, $0.position] } == [[0, 3], [1, 2], [1, 3]])
        // What a row writes is the slot of its own position.
        for sequence in plan.input.sequences {
            for row in 0..<sequence.rowCount {
                let position = sequence.length - sequence.rowCount + row
                let slot = plan.input.slots[sequence.slotStart + position]
                #expect(plan.input.writeSlots[sequence.rowStart + row] == slot)
            }
        }
        #expect(Set(plan.input.slots).count == plan.input.slots.count)
    }

    @Test func aPlanHoldsNothingOfTheOneBefore() throws {
        var scheduler = Scheduler(limits: Self.limits)
        _ = scheduler.admit(ScheduledRequest(id: 1, prompt: [5, 6, 7], maxNewTokens: 9))
        var plan = BatchPlan()
        let first = try Self.next(&scheduler)
        plan.prepare(first, scheduler)
        scheduler.commit(first.entries[0], tokens: [8], finished: false)
        let second = try Self.next(&scheduler)
        plan.prepare(second, scheduler)
        #expect(
            plan.input.tokens == [8] && plan.input.positions == [3]
                && plan.targets.map { [$0.entry, $0.position] } == [[0, 3]])
        #expect(plan.input.slots.count == 4)
    }
}
