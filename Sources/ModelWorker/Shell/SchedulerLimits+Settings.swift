package import Models
package import Scheduling
package import ServerSettings

extension SchedulerLimits {
    /// Tokens in a step of whole prompts, unless one prompt is longer or the operator wants more: enough for all kernels to be at
    /// their best, and few enough for what lies between two layers to stay in the processor's caches.
    private static let wholePromptTokens = 2048

    /// What the operator's flags mean for a pool of `slots` and a model for this task that takes `contextLength` tokens.
    package init(_ settings: WorkerSettings, slots: Int, contextLength: Int, task: ModelTask? = nil) {
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
        generates = task.map { $0.kind == .generation } ?? true
        if task?.wholePrompts == true { computeWholePrompts(settings) }
    }

    /// Nothing is cut and nothing kept, so that slots are needed for one step only.
    private mutating func computeWholePrompts(_ settings: WorkerSettings) {
        let asked = settings.chunkedPrefillSize ?? settings.maxPrefillTokens
        chunkTokens = max(min(contextLength, slots), asked, Self.wholePromptTokens)
        cutsPrompts = false
        usesPrefixCache = false
        logitRows = maxRunning
        // What a step has taken counts once more while it is filled.
        slots = min(slots, 2 * (chunkTokens + maxRunning * pageSize))
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
