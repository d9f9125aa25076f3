internal import Glibc

/// Runs a closure on a POSIX thread of its own, for loops that block: they must not sit on a thread that others share.
package func startDetachedThread(_ body: @escaping @Sendable () -> Void) {
    startDetachedThread(carrying: ()) { (_: consuming Void) in body() }
}

/// The same with a value that the thread owns from then on, such as a socket, which no other may touch.
package func startDetachedThread<Cargo: ~Copyable>(
    carrying cargo: consuming sending Cargo, _ body: @escaping @Sendable (consuming Cargo) -> Void
) {
    var thread = pthread_t()
    let carried = Unmanaged.passRetained(ThreadStart(cargo, body) as AnyThreadStart)
    pthread_create(
        &thread, nil,
        { raw in
            Unmanaged<AnyThreadStart>.fromOpaque(raw!).takeRetainedValue().run()
            return nil
        }, carried.toOpaque())
    pthread_detach(thread)
}

/// Begins a thread, whatever it carries.
private class AnyThreadStart {
    func run() {}
}

/// Carries a closure and its cargo into a POSIX thread.
private final class ThreadStart<Cargo: ~Copyable>: AnyThreadStart {
    private var cargo: Cargo?
    private let body: @Sendable (consuming Cargo) -> Void

    init(_ cargo: consuming Cargo, _ body: @escaping @Sendable (consuming Cargo) -> Void) {
        self.cargo = consume cargo
        self.body = body
    }

    override func run() {
        if let cargo = cargo.take() { body(cargo) }
    }
}
