internal import CPlatform
internal import Glibc
internal import Messages

/// The memory of the model workers' prefix cache, which outlives them: keys and values of each rank, and what rank 0 wrote down
/// of their slots. The launcher keeps it without a look at it.
///
/// A worker that was killed is followed by one that goes on with what lies there. One that crashed is not: its memory may be the
/// reason, and what the kernel wants back must not stay.
package struct CacheMemory: ~Copyable {
    private var slots: Int32 = -1
    private var ranks: [Int: Int32] = [:]

    /// No memory yet.
    package init() {}

    /// The descriptors that a rank about to be spawned inherits.
    package mutating func descriptors(forRank rank: Int) throws(SpawnError) -> (slots: Int32, rank: Int32) {
        if slots < 0 { slots = platform_shared_memory("srt-slots") }
        let memory = ranks[rank] ?? platform_shared_memory("srt-cache")
        if memory >= 0 { ranks[rank] = memory }
        guard slots >= 0, memory >= 0 else {
            throw SpawnError(description: "memory for the cache: \(String(cString: strerror(errno)))")
        }
        return (slots, memory)
    }

    /// A process has ended like this; what it worked on is given back if that may be why.
    package mutating func ended(_ id: ChildID, _ cause: ExitCause, byLauncher: Bool) {
        guard id.role == .scheduler, !byLauncher, !cause.isFromOutside, cause != .code(0) else {
            return
        }
        discard()
    }

    private mutating func discard() {
        for memory in [slots] + ranks.values where memory >= 0 { close(memory) }
        slots = -1
        ranks = [:]
    }

    deinit {
        for memory in [slots] + ranks.values where memory >= 0 { close(memory) }
    }
}
