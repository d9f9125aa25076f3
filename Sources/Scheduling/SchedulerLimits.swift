/// How the waiting queue is ordered (SGLang's `--schedule-policy`).
package enum SchedulePolicy: String, Sendable, CaseIterable {
    /// By arrival.
    case fcfs
    /// Longest cached prefix first.
    case lpm
}

/// What a worker can hold and how it shares a step; fixed at start.
package struct SchedulerLimits: Sendable, Equatable {
    /// KV slots of the pool.
    package var slots: Int
    /// Most tokens of one request, prompt and output together.
    package var contextLength: Int
    /// Most requests that hold slots at the same time.
    package var maxRunning: Int
    /// Most requests that may wait; nil means no limit.
    package var maxQueued: Int?
    /// Most prefill tokens in one step. Decoding requests ride along, so this bounds how long they stall.
    package var chunkTokens: Int
    /// Most rows of one step whose logits are computed.
    package var logitRows: Int
    package var policy: SchedulePolicy
    /// Share of the tokens that running requests may still generate which is set aside for them at admission.
    package var conservativeness: Double
    /// Reuse and keep prefixes.
    package var usesPrefixCache: Bool

    package init(
        slots: Int, contextLength: Int, maxRunning: Int, maxQueued: Int? = nil, chunkTokens: Int, logitRows: Int,
        policy: SchedulePolicy = .fcfs, conservativeness: Double = 1, usesPrefixCache: Bool = true
    ) {
        self.slots = slots
        self.contextLength = contextLength
        self.maxRunning = maxRunning
        self.maxQueued = maxQueued
        self.chunkTokens = chunkTokens
        self.logitRows = logitRows
        self.policy = policy
        self.conservativeness = conservativeness
        self.usesPrefixCache = usesPrefixCache
    }

    /// Longest request, prompt and output together (SGLang's max_req_len).
    package var maxRequestLength: Int { min(contextLength - 1, slots - 1) }

    /// Longest prompt (SGLang's max_req_input_len).
    package var maxPromptLength: Int { maxRequestLength - 5 }
}
