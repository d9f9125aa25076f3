import CKernels
package import Values

/// The kernels of one instruction set level together with the threads that run them.
///
/// Every operation is parallel inside, allocates nothing, and gives each row the same bits whatever other rows are in
/// the call and however many threads there are. Memory passed in stays the caller's and must not overlap the output
/// unless the operation says so.
///
/// Unchecked sendability rests on one fact: the C side serialises operations on an instance with a lock, so calls from
/// several threads are safe (if not parallel to each other).
package final class Compute: @unchecked Sendable {
    /// Instruction set level of the kernels.
    package let isa: KernelISA
    /// Threads that work on an operation, the caller included.
    package let threads: Int
    /// The C object that owns kernel table, pool and scratch memory.
    let handle: OpaquePointer
    /// What each thread uses alone in `apart`; empty for such a part.
    let parts: [Compute]

    /// Starts `threads - 1` threads with the kernels of `isa`, lowered to what this machine supports.
    ///
    /// `cores`, when given, has one core number per thread; the first one is the caller's and is applied by
    /// `pinCallingThread`. Traps when the system cannot start the threads.
    package init(isa: KernelISA = .avx512bf16, threads: Int, cores: [Int]? = nil) {
        precondition(threads >= 1, "the caller is a thread")
        precondition(cores == nil || cores?.count == threads, "one core per thread")
        let numbers = cores?.map { Int32($0) }
        let created =
            if let numbers {
                numbers.withUnsafeBufferPointer { kernels_compute_create(isa.kernel, threads, $0.baseAddress) }
            } else {
                kernels_compute_create(isa.kernel, threads, nil)
            }
        guard let created else { preconditionFailure("no memory or threads for \(threads) compute threads") }
        handle = created
        let level = KernelISA(kernel: kernels_compute_isa(created))
        self.isa = level
        self.threads = threads
        parts = (0..<threads).map { Compute(part: kernels_compute_part(created, $0), isa: level) }
    }

    /// What one thread of another instance uses, which owns it.
    private init(part: OpaquePointer, isa: KernelISA) {
        handle = part
        self.isa = isa
        threads = 1
        parts = []
    }

    deinit { if !parts.isEmpty { kernels_compute_destroy(handle) } }

    /// Pins the calling thread to a core; false when the system refuses.
    @discardableResult
    package static func pinCallingThread(to core: Int) -> Bool { kernels_pin_calling_thread(Int32(core)) }

    /// Lets the calling thread, which was begun by a pinned one, run on any core that the process may use.
    @discardableResult
    package static func freeCallingThread() -> Bool { kernels_free_calling_thread() }

    /// Cores the calling thread may run on, ascending.
    package static func availableCores() -> [Int] {
        [Int32](unsafeUninitializedCapacity: 1024) { cores, count in
            count = kernels_available_cores(cores.baseAddress, cores.count)
        }.map(Int.init)
    }

    /// From here to `endStep` idle threads spin some microseconds for the next operation before they sleep.
    package func beginStep() { kernels_step_begin(handle) }

    /// From here on idle threads sleep at once, so an idle process uses no processor time.
    package func endStep() { kernels_step_end(handle) }

    /// For tests: multiplies bfloat16 the way the `.avx512bf16` level does, with the dot instruction emulated.
    ///
    /// False, and nothing changes, below the `.avx512` level.
    package func emulatePairDot() -> Bool { kernels_emulate_pair_dot(handle) }

    /// For tests: multiplies bytes as on processors without AVX512-VNNI from here on.
    package func leaveVNNI() { kernels_leave_vnni(handle) }
}
