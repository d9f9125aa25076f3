/// How long a request may wait for its first step, and run after it; nil: no limit. Both clocks start anew with another attempt, and
/// `--request-timeout` bounds a request as a whole.
package struct RequestTimeouts: Sendable, Equatable {
    /// Seconds.
    package var waiting: Double?
    package var running: Double?

    package init(waiting: Double? = nil, running: Double? = nil) {
        self.waiting = waiting
        self.running = running
    }

    /// There is a limit at all.
    var isSet: Bool { waiting != nil || running != nil }

    /// What a request that took too long is told; nil while it did not.
    func complaint(_ request: any HeldRequest, now: Double) -> String? {
        if let admitted = request.admitted {
            if let running, now - admitted > running { return "Request running timeout reached." }
        } else if let waiting, now - request.arrived > waiting {
            return "Request waiting timeout reached."
        }
        return nil
    }
}
