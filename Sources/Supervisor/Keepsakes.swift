internal import CPlatform
internal import Glibc

/// Memory that the launcher keeps, without a look at it, for children that come after others. It has no name and goes with
/// the last process of the server.
struct Keepsakes: Sendable {
    /// A tokenizer that was read once.
    let tokenizer: Int32
    /// The clients' sessions.
    let sessions: Int32
    /// Which weights are served.
    let weights: Int32

    init() throws(SpawnError) {
        tokenizer = platform_shared_memory("srt-tokenizer")
        sessions = platform_shared_memory("srt-sessions")
        weights = platform_shared_memory("srt-weights")
        guard tokenizer >= 0, sessions >= 0, weights >= 0 else {
            throw SpawnError(description: "memory for the children: \(String(cString: strerror(errno)))")
        }
    }
}
