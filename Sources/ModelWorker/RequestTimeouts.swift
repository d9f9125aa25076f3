internal import ServerSettings

/// How long a request may wait for its first step, and run after it.
///
/// Both clocks start anew with another attempt; `--request-timeout` bounds a request as a whole.
struct RequestTimeouts: Sendable {
    /// Milliseconds.
    let waiting, running: UInt64?

    init(_ settings: WorkerSettings) {
        waiting = settings.requestWaitingTimeout.map { UInt64($0 * 1000) }
        running = settings.requestRunningTimeout.map { UInt64($0 * 1000) }
    }

    /// There is a limit at all.
    var isSet: Bool { waiting != nil || running != nil }

    /// What a request that took too long is told; nil while it did not.
    func complaint(_ request: WorkerRequest, now: UInt64) -> String? {
        if let admitted = request.admitted {
            if let running, now - admitted > running { return "Request running timeout reached." }
        } else if let waiting, now - request.arrived > waiting {
            return "Request waiting timeout reached."
        }
        return nil
    }
}
