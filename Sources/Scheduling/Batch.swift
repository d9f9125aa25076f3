/// The rows of one engine step.
package struct Batch: Sendable, Equatable {
    /// A request's part of the step: consecutive positions.
    package struct Entry: Sendable, Equatable {
        package var id: UInt64
        /// First position computed in this step.
        package var start: Int
        /// Rows; when decoding as many as the last commit had tokens, nearly always one.
        package var count: Int
        /// Position from which logits are wanted, or nil when the chunk ends before the last token and none are.
        package var logitsFrom: Int?
        /// The chunk reaches the last token: the step yields the next one, or what else is made of the whole.
        package var yieldsToken: Bool

        package init(id: UInt64, start: Int, count: Int, logitsFrom: Int?, yieldsToken: Bool) {
            self.id = id
            self.start = start
            self.count = count
            self.logitsFrom = logitsFrom
            self.yieldsToken = yieldsToken
        }

        /// Rows whose logits are wanted.
        package var logitRows: Int { logitsFrom.map { start + count - $0 } ?? 0 }
    }

    package var entries: [Entry] = []
    /// How many of the first entries are of requests that decode.
    package var decodingEntries = 0
    /// Requests that lost their slots while this batch was made because the pool was full.
    package var retracted: [UInt64] = []
    /// Requests that lost their slots to a more urgent one.
    package var preempted: [UInt64] = []
    /// Requests that were admitted for this batch.
    package var admitted: [UInt64] = []
    /// Tokens of theirs that came from the cache.
    package var admittedCachedTokens = 0
    /// Rows of prompts, and of outputs that are computed again after a retraction.
    package var prefillTokens = 0

    package init() {}

    /// Rows in all.
    package var rowCount: Int { entries.reduce(0) { $0 + $1.count } }
}

/// What became of a request that asked to be queued.
package enum Admission: Sendable, Equatable {
    case queued
    /// It was queued in the place of a less urgent one, which is forgotten and has to be told.
    case queuedInPlaceOf(UInt64)
    /// The queue is full.
    case queueFull
    /// The prompt can never fit; the longest that can.
    case tooLong(limit: Int)
    /// It names a priority, and priorities do not count here.
    case priorityRefused
}

/// Counts of the scheduler at one moment; free + cached + held = total.
package struct SchedulerCounts: Sendable, Equatable {
    package var running: Int
    package var waiting: Int
    package var total: Int
    package var free: Int
    package var cached: Int
    package var held: Int
    package var waitingTokens: Int
    package var retractions: Int
    /// Those of the layers with a window, where they have their own.
    package var window: WindowCounts?
}

/// Counts of the slots of layers with a window at one moment.
package struct WindowCounts: Sendable, Equatable {
    package var total: Int
    /// Those that the windows of running requests cover.
    package var held: Int
    /// Those that stay with cached prefixes until somebody needs them.
    package var cached: Int

    package init(total: Int, held: Int, cached: Int) {
        self.total = total
        self.held = held
        self.cached = cached
    }
}

/// What the scheduler did since the start.
package struct SchedulerTally: Sendable, Equatable {
    /// Times a running request lost its slots.
    package internal(set) var retractions = 0
    /// Tokens of prompts and outputs that these requests had.
    package internal(set) var retractedPromptTokens = 0
    package internal(set) var retractedOutputTokens = 0
    /// Cached tokens that made room for others.
    package internal(set) var evictedTokens = 0
    /// Tokens of prompts computed, and those that came from the cache.
    package internal(set) var prefilledTokens = 0
    package internal(set) var cachedTokens = 0
}
