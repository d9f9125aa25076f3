package import Values

/// What a worker can hold and how it shares a step; fixed at start.
package struct SchedulerLimits: Sendable, Equatable {
    /// KV slots of the pool; those that fill no whole page are not used.
    package var slots: Int
    /// Slots in a page of the pool.
    package var pageSize: Int
    /// Most tokens of one request, prompt and output together.
    package var contextLength: Int
    /// Most requests that hold slots at the same time.
    package var maxRunning: Int
    /// Most requests that may wait; nil means no limit.
    package var maxQueued: Int?
    /// Most tokens that may wait together; nil means no limit.
    package var maxQueuedTokens: Int?
    /// Most prefill tokens in one step. Decoding requests ride along, so this bounds how long they stall.
    package var chunkTokens: Int
    /// A prompt may be cut where a step's budget ends. Otherwise only the first of a step may, and `chunkTokens` must hold any prompt.
    package var cutsPrompts: Bool
    /// Most requests that compute prompts in one step; nil means no limit.
    package var prefillRequests: Int?
    /// Most rows of one step whose logits are computed.
    package var logitRows: Int
    package var policy: SchedulePolicy
    /// Priorities of requests count, by these rules; nil: they do not.
    package var priorities: PriorityRules?
    /// A request that names a priority is refused while priorities do not count.
    package var refusesPriorities: Bool
    /// Share of the tokens that running requests may still generate which is set aside for them at admission.
    package var conservativeness: Double
    /// Reuse and keep prefixes.
    package var usesPrefixCache: Bool
    /// Writes down what the slots hold, for those who come after this process.
    package var keepsBook = false
    /// Requests generate tokens; else each is over with its prompt, and there is nothing to leave room for.
    package var generates = true
    /// Seed of the random policy.
    package var seed: UInt64
    /// What layers with a window keep; nil where all layers keep every position.
    package var window: WindowLimits?

    package init(
        slots: Int, pageSize: Int = 1, contextLength: Int, maxRunning: Int, maxQueued: Int? = nil, chunkTokens: Int,
        cutsPrompts: Bool = true, prefillRequests: Int? = nil, logitRows: Int, policy: SchedulePolicy = .fcfs,
        priorities: PriorityRules? = nil, refusesPriorities: Bool = false, conservativeness: Double = 1,
        usesPrefixCache: Bool = true, seed: UInt64 = 0
    ) {
        self.slots = slots
        self.pageSize = pageSize
        self.contextLength = contextLength
        self.maxRunning = maxRunning
        self.maxQueued = maxQueued
        self.chunkTokens = chunkTokens
        self.cutsPrompts = cutsPrompts
        self.prefillRequests = prefillRequests
        self.logitRows = logitRows
        self.policy = policy
        self.priorities = priorities
        self.refusesPriorities = refusesPriorities
        self.conservativeness = conservativeness
        self.usesPrefixCache = usesPrefixCache
        self.seed = seed
    }

    /// Slots in whole pages.
    package var usableSlots: Int { slots / pageSize * pageSize }

    /// Rows that the stores of layers with a window need; nil where there are none.
    package var windowStoreRows: Int? { window.map { $0.slots / pageSize * pageSize + pageSize } }

    /// Rows that the key and value stores need: the pool's, and the page that is never handed out.
    package var storeRows: Int { usableSlots + pageSize }

    /// Longest request, prompt and output together (SGLang's max_req_len).
    package var maxRequestLength: Int { min(contextLength, usableSlots) - (generates ? 1 : 0) }

    /// Longest prompt (SGLang's max_req_input_len).
    package var maxPromptLength: Int { maxRequestLength - (generates ? 5 : 0) }
}

/// What the layers with a window keep, where others keep every position.
package struct WindowLimits: Sendable, Equatable {
    /// Positions that a row sees, itself among them; of several windows the largest.
    package var positions: Int
    /// Slots of their pool.
    package var slots: Int

    package init(positions: Int, slots: Int) {
        self.positions = positions
        self.slots = slots
    }

    /// As many slots as `ratio` of the others', but enough for a request that is alone.
    package init(positions: Int, beside limits: SchedulerLimits, ratio: Double) {
        let least = positions + limits.chunkTokens + 4 * limits.pageSize
        self.init(positions: positions, slots: min(limits.slots, max(Int(ratio * Double(limits.slots)), least)))
    }
}
