internal import Glibc

/// Runs a closure on a POSIX thread of its own, for loops that block: they must not sit on a thread that others share.
package func startDetachedThread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let carried = Unmanaged.passRetained(ThreadBody(body))
    pthread_create(
        &thread, nil,
        { raw in
            Unmanaged<ThreadBody>.fromOpaque(raw!).takeRetainedValue().run()
            return nil
        }, carried.toOpaque())
    pthread_detach(thread)
}

/// Carries a closure into a POSIX thread.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
