internal import Glibc

extension RequestTimeouts {
    /// The limits of SGLang's environment variables SGLANG_REQ_WAITING_TIMEOUT and SGLANG_REQ_RUNNING_TIMEOUT (seconds; unset, negative
    /// or malformed: none).
    static func ofEnvironment() -> RequestTimeouts {
        RequestTimeouts(waiting: limit("SGLANG_REQ_WAITING_TIMEOUT"), running: limit("SGLANG_REQ_RUNNING_TIMEOUT"))
    }

    private static func limit(_ variable: String) -> Double? {
        guard let text = getenv(variable), let seconds = Double(String(cString: text)), seconds >= 0, seconds < 1e9
        else { return nil }
        return seconds
    }
}
