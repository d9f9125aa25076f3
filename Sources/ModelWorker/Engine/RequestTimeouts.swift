internal import Glibc

/// How long a request may wait for its first step, and run after it, by SGLang's environment variables
/// SGLANG_REQ_WAITING_TIMEOUT and SGLANG_REQ_RUNNING_TIMEOUT (seconds; unset, negative or malformed: no limit).
///
/// Both clocks start anew with another attempt; `--request-timeout` bounds a request as a whole.
struct RequestTimeouts: Sendable {
    /// Milliseconds.
    var waiting = limit("SGLANG_REQ_WAITING_TIMEOUT")
    var running = limit("SGLANG_REQ_RUNNING_TIMEOUT")

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

    private static func limit(_ variable: String) -> UInt64? {
        guard let text = getenv(variable), let seconds = Double(String(cString: text)), seconds >= 0, seconds < 1e9
        else { return nil }
        return UInt64(seconds * 1000)
    }
}
