package import Scheduling
package import ServerSettings

extension SchedulerLimits {
    /// What the operator's flags mean for a pool of `slots` and a model that takes `contextLength` tokens.
    package init(_ settings: WorkerSettings, slots: Int, contextLength: Int) {
        let running = settings.maxRunningRequests ?? max(1, min(256, slots / 2))
        // A whole prompt always counts as one step's share, so that -1, which cuts nothing, can keep its word.
        let chunk = min(settings.chunkedPrefillSize ?? contextLength, max(settings.maxPrefillTokens, contextLength))
        self.init(
            slots: slots, pageSize: settings.pageSize, contextLength: contextLength, maxRunning: running,
            maxQueued: settings.maxQueuedRequests, chunkTokens: chunk, cutsPrompts: settings.chunkedPrefillSize != nil,
            prefillRequests: settings.prefillMaxRequests, logitRows: chunk + running,
            policy: settings.schedulePolicy,
            priorities: settings.enablePriorityScheduling ? PriorityRules(settings) : nil,
            refusesPriorities: settings.abortOnPriorityWhenDisabled,
            conservativeness: settings.scheduleConservativeness, usesPrefixCache: !settings.disableRadixCache,
            seed: UInt64(bitPattern: Int64(settings.randomSeed)))
        maxQueuedTokens = settings.maxQueuedTokens
    }
}

extension PriorityRules {
    /// The rules of the operator's flags.
    fileprivate init(_ settings: WorkerSettings) {
        self.init(
            lowValuesFirst: settings.scheduleLowPriorityValuesFirst,
            defaultValue: settings.defaultPriorityValue.map(Int64.init),
            preemptionGap: settings.disablePriorityPreemption ? nil : Int64(settings.priorityPreemptionThreshold),
            guidesRetraction: settings.retractionPolicy == .priority)
    }
}
