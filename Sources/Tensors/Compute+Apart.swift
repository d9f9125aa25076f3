import CKernels

extension Compute {
    /// Runs `body` on items `0 ..< count`, each as a whole on one thread, and returns when all are done.
    ///
    /// Where items have nothing to do with each other no thread waits for another between two operations, and what an item
    /// works on stays in the caches of one core. `body` gets what its thread computes with, and the thread's number; this
    /// instance itself must not be used meanwhile. Results have the same bits as without.
    package func apart(_ count: Int, _ body: (_ own: Compute, _ thread: Int, _ item: Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var call = ApartCall(parts: parts, body: body)
            withUnsafeMutablePointer(to: &call) { call in
                kernels_run_apart(
                    handle, count,
                    { context, thread, item in
                        let call = context!.assumingMemoryBound(to: ApartCall.self)
                        call.pointee.body(call.pointee.parts[thread], thread, item)
                    }, call)
            }
        }
    }
}

/// What the threads of `apart` share.
private struct ApartCall {
    let parts: [Compute]
    let body: (Compute, Int, Int) -> Void
}
