package import Messages
package import ServerSettings
package import Values

extension RequestLedger {
    /// What the owner has to do, in this order.
    package enum Effect: Sendable, Equatable {
        case send(TokenizerCommand)
        /// Something changed that the handler of this HTTP request waits for.
        case wake(group: UInt64)
    }

    /// Limits of patience.
    package struct Patience: Sendable {
        /// Seconds a row may be held because a process is missing.
        package var held = 120.0
        /// Seconds the pipe gets to confirm an abort.
        package var abort = 2.0
        /// Submissions in a row without any progress, and seconds that these took at least, after which a row is given up.
        package var fruitlessAttempts = 8
        package var fruitlessSeconds = 120.0
        /// Crashes of the worker that a row may have been part of.
        package var crashes = 2
        /// Seconds a request may take in all; nil: no limit.
        package var request: Double?
        /// Seconds that news of a stream may wait for its client before the stream is parked.
        package var unread = 2.0
        /// Rows in work from which on a client has to read to be one of them.
        package var crowd = 32
        /// Frames that may wait for a slow client before they are merged.
        package var waitingFrames = 20

        package init() {}
    }

    /// One sub-request to open.
    package struct Opening: Sendable {
        package var errand: Errand
        package var rid: ClientName
        /// The request counts in the metrics.
        package var isCounted = true

        package init(_ errand: Errand, rid: ClientName) {
            self.errand = errand
            self.rid = rid
        }
    }
}

extension RequestLedger.Patience {
    /// The operator's limits.
    package init(_ settings: FrontSettings) {
        self.init()
        request = settings.requestTimeout
    }
}

extension LedgerRow {
    /// Ends a frame here; a client that is far behind gets the last ones merged.
    mutating func cut(limit: Int) {
        if cuts.count >= limit { cuts[cuts.count - 1] = output.end } else { cuts.append(output.end) }
    }
}

extension TextBatch {
    /// Whether the parallel arrays fit together.
    var isConsistent: Bool {
        let rows = requestIds.count
        return attempts.count == rows && offsets.count == rows && counts.count == rows && textOffsets.count == rows
            && texts.count == rows && finish.count == rows && promptTokens.count == rows && cachedTokens.count == rows
            && retractions.count == rows && counts.reduce(0, { $0 + Int($1) }) == ids.count
    }
}
