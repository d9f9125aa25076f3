internal import CPlatform
internal import Glibc
internal import Messages

/// The shared memory of a tensor-parallel group: new for each generation, so that a rank of an older one reaches nobody,
/// and without a name, so that it goes with the last rank.
struct GroupMemory: ~Copyable {
    private var generation: UInt64 = 0
    private var memory: Int32 = -1

    /// The descriptor that a process about to be spawned inherits; nil for all but the ranks of a group.
    mutating func descriptor(for id: ChildID, _ generation: UInt64, ranks: Int) throws(SpawnError) -> Int32? {
        guard id.role == .scheduler, ranks > 1 else { return nil }
        if generation != self.generation {
            release()
            memory = platform_shared_memory("srt-ranks")
            guard memory >= 0 else {
                throw SpawnError(description: "memory for the ranks: \(String(cString: strerror(errno)))")
            }
            self.generation = generation
        }
        return memory
    }

    /// The last rank has inherited it: from here on the ranks alone keep it.
    mutating func spawned(_ id: ChildID, ranks: Int) {
        if id.role == .scheduler, id.rank == ranks - 1 { release() }
    }

    private mutating func release() {
        if memory >= 0 { close(memory) }
        memory = -1
        generation = 0
    }

    deinit { if memory >= 0 { close(memory) } }
}
