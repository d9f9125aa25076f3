import Glibc
import Messages
import Supervisor
import Testing

/// Which deaths the prefix cache outlives.
@Suite struct CacheMemoryTests {
    private let worker = ChildID(.scheduler)

    /// A byte at the start of the memory behind a descriptor.
    private func mark(_ descriptor: Int32) -> UInt8 {
        var byte: UInt8 = 0
        pread(descriptor, &byte, 1, 0)
        return byte
    }

    /// Whether what two ranks wrote is there when they are started again after a death.
    private func isKept(_ id: ChildID, _ cause: ExitCause, byLauncher: Bool = false) throws -> Bool {
        var memory = CacheMemory()
        for rank in 0..<2 {
            let (slots, cache) = try memory.descriptors(forRank: rank)
            for (descriptor, value) in [(slots, 9), (cache, UInt8(rank + 1))] as [(Int32, UInt8)] {
                var byte = value
                #expect(pwrite(descriptor, &byte, 1, 0) == 1)
            }
        }
        memory.ended(id, cause, byLauncher: byLauncher)
        var found: [[UInt8]] = []
        for rank in 0..<2 {
            let (slots, cache) = try memory.descriptors(forRank: rank)
            found.append([mark(slots), mark(cache)])
        }
        #expect(found == [[9, 1], [9, 2]] || found == [[0, 0], [0, 0]], "\(found)")
        return found[0][0] == 9
    }

    @Test func whatSomebodyElseEndedLeavesItsCache() throws {
        for signal in [SIGKILL, SIGTERM, SIGINT] { #expect(try isKept(worker, .signal(signal))) }
        #expect(try isKept(worker, .code(0)))
        // The launcher ends what hangs, and the other ranks of one that died.
        #expect(try isKept(worker, .signal(SIGKILL), byLauncher: true))
    }

    @Test func aCrashTakesTheCacheWithIt() throws {
        for signal in [SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP] { #expect(try !isKept(worker, .signal(signal))) }
        #expect(try !isKept(ChildID(.scheduler, rank: 1), .signal(SIGSEGV)))
        #expect(try !isKept(worker, .code(1)))
    }

    @Test func whatTheKernelWantsBackIsGivenBack() throws {
        #expect(try !isKept(worker, .outOfMemory(limit: nil)))
        #expect(try !isKept(worker, .outOfMemory(limit: 1 << 30)))
    }

    @Test func otherProcessesHaveNoPartInIt() throws {
        for role in [Role.http, .tokenizerManager, .detokenizer] {
            #expect(try isKept(ChildID(role), .signal(SIGSEGV)))
        }
    }
}
