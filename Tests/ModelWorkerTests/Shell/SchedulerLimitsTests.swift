import ModelWorker
import Scheduling
import ServerSettings
import Testing
import Values

/// What flags mean for the scheduler.
@Suite struct SchedulerLimitsTests {
    @Test(arguments: SchedulePolicy.allCases)
    func everyPolicyOfTheFlagIsTheSchedulersOfThatName(policy: SchedulePolicy) {
        var settings = WorkerSettings()
        settings.schedulePolicy = policy
        let limits = SchedulerLimits(settings, slots: 100, contextLength: 50)
        #expect(limits.policy == policy)
    }

    @Test func prioritiesCountOnlyWhenTheyAreEnabled() {
        var settings = WorkerSettings()
        settings.defaultPriorityValue = 7
        settings.retractionPolicy = .priority
        #expect(SchedulerLimits(settings, slots: 100, contextLength: 50).priorities == nil)
        settings.enablePriorityScheduling = true
        let rules = SchedulerLimits(settings, slots: 100, contextLength: 50).priorities
        #expect(rules == PriorityRules(defaultValue: 7, preemptionGap: 10, guidesRetraction: true))
        settings.disablePriorityPreemption = true
        #expect(SchedulerLimits(settings, slots: 100, contextLength: 50).priorities?.preemptionGap == nil)
    }

    @Test func aPromptThatIsNeverCutFitsIntoAStep() {
        var settings = WorkerSettings()
        settings.chunkedPrefillSize = nil
        settings.maxPrefillTokens = 10
        let limits = SchedulerLimits(settings, slots: 100_000, contextLength: 40_000)
        #expect(limits.chunkTokens == 40_000 && !limits.cutsPrompts && limits.logitRows >= 40_000)
    }

    @Test func theStoreHasRoomForThePageThatIsNeverHandedOut() {
        var settings = WorkerSettings()
        settings.pageSize = 16
        let limits = SchedulerLimits(settings, slots: 100, contextLength: 50)
        #expect((limits.usableSlots, limits.storeRows) == (96, 112))
    }
}
